/* Generated from the table of primitives by scripts/native.py: do not edit.
 *
 * x, y: the numbers of the operands; z: the result. Of each row is said whether a
 * partial of exactly 0 says "not chosen"; METHODS lists the rows that are methods.
 * Partials of a row with many operands x may need the total of a term of each.
 */
static inline double slope_guarded_multiply_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return y;
}
static inline double slope_guarded_multiply_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return x;
}
static inline double slope_add_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 1.0;
}
static inline double slope_add_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 1.0;
}
static inline double slope_subtract_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 1.0;
}
static inline double slope_subtract_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return -1.0;
}
static inline double slope_multiply_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return y;
}
static inline double slope_multiply_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return x;
}
static inline double slope_divide_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(1.0, y);
}
static inline double slope_divide_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_negative(row_divide(z, y));
}
static inline double slope_floor_divide_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_where(y, 0.0, NAN);
}
static inline double slope_floor_divide_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_where(y, 0.0, NAN);
}
static inline double slope_remainder_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_where(y, 1.0, NAN);
}
static inline double slope_remainder_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_negative(row_floor_divide(x, y));
}
static inline double slope_power_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_where(row_equal(z, z), row_guarded_multiply(y, row_where((row_less(row_absolute(y), 0.5) * row_not_equal(x, 0.0)), row_divide(z, x), row_power(x, (y - 1.0)))), NAN);
}
static inline double slope_power_1(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (z * row_log((x + row_equal(x, 0.0))));
}
static inline double slope_negative_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return -1.0;
}
static inline double slope_absolute_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_sign(x);
}
static inline double slope_sign_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 0.0;
}
static inline double slope_floor_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 0.0;
}
static inline double slope_ceil_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 0.0;
}
static inline double slope_trunc_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 0.0;
}
static inline double slope_nonnegative_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 1.0;
}
static inline double slope_exp_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return z;
}
static inline double slope_exp2_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (z * 0.6931471805599453);
}
static inline double slope_expm1_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_exp(x);
}
static inline double slope_log_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(1.0, row_nonnegative(x));
}
static inline double slope_log2_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(1.4426950408889634, row_nonnegative(x));
}
static inline double slope_log10_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(0.43429448190325176, row_nonnegative(x));
}
static inline double slope_log1p_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(1.0, row_nonnegative((1.0 + x)));
}
static inline double slope_sqrt_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(0.5, z);
}
static inline double slope_sin_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_cos(x);
}
static inline double slope_cos_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_negative(row_sin(x));
}
static inline double slope_tan_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (1.0 + (z * z));
}
static inline double slope_one_minus_square_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (-2.0 * x);
}
static inline double slope_arcsin_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(1.0, row_sqrt(row_one_minus_square(x)));
}
static inline double slope_arccos_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(-1.0, row_sqrt(row_one_minus_square(x)));
}
static inline double slope_sinh_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_cosh(x);
}
static inline double slope_cosh_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_sinh(x);
}
static inline double slope_tanh_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_sech2(x);
}
static inline double slope_sech2_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (-2.0 * (row_tanh(x) * z));
}
static inline double slope_arccosh_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(row_divide(1.0, row_sqrt((x - 1.0))), row_sqrt((x + 1.0)));
}
static inline double slope_arctanh_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_divide(row_divide(1.0, row_sqrt(row_one_minus_square(x))), row_sqrt(row_one_minus_square(x)));
}
static inline double slope_sigmoid_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return (0.25 * row_sech2((0.5 * x)));
}
static inline double slope_softplus_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_sigmoid(x);
}
static inline double slope_relu_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return row_step(x);
}
static inline double slope_step_0(double x, double y, double z)
{
    (void)x, (void)y, (void)z;
    return 0.0;
}

#define UNARY_ROWS(ROW) \
    ROW(negative, 0) \
    ROW(absolute, 0) \
    ROW(sign, 1) \
    ROW(floor, 1) \
    ROW(ceil, 1) \
    ROW(trunc, 1) \
    ROW(nonnegative, 0) \
    ROW(exp, 0) \
    ROW(exp2, 0) \
    ROW(expm1, 0) \
    ROW(log, 0) \
    ROW(log2, 0) \
    ROW(log10, 0) \
    ROW(log1p, 0) \
    ROW(sqrt, 0) \
    ROW(sin, 0) \
    ROW(cos, 0) \
    ROW(tan, 0) \
    ROW(one_minus_square, 0) \
    ROW(arcsin, 0) \
    ROW(arccos, 0) \
    ROW(sinh, 0) \
    ROW(cosh, 0) \
    ROW(tanh, 0) \
    ROW(sech2, 0) \
    ROW(arccosh, 0) \
    ROW(arctanh, 0) \
    ROW(sigmoid, 0) \
    ROW(softplus, 0) \
    ROW(relu, 1) \
    ROW(step, 1)

#define BINARY_ROWS(ROW) \
    ROW(guarded_multiply, 1) \
    ROW(add, 0) \
    ROW(subtract, 0) \
    ROW(multiply, 0) \
    ROW(divide, 0) \
    ROW(floor_divide, 1) \
    ROW(remainder, 0) \
    ROW(power, 0)
static inline double term_maximum(double x, double z)
{
    return row_equal(x, z);
}
static inline double share_maximum(double x, double z, double total)
{
    (void)x, (void)z;
    return (row_equal(x, z) * row_divide(1.0, total));
}
static inline double term_minimum(double x, double z)
{
    return row_equal(x, z);
}
static inline double share_minimum(double x, double z, double total)
{
    (void)x, (void)z;
    return (row_equal(x, z) * row_divide(1.0, total));
}
static inline double term_logsumexp(double x, double z)
{
    return row_exp((x - z));
}
static inline double share_logsumexp(double x, double z, double total)
{
    (void)x, (void)z;
    return row_divide(row_exp((x - z)), total);
}

#define TOTALLED_ROWS(ROW) \
    ROW(maximum, 1) \
    ROW(minimum, 1) \
    ROW(logsumexp, 0)

#define MANY_ROWS(ROW) TOTALLED_ROWS(ROW) \
    ROW(sum, 0) \
    ROW(dot, 0)

#define METHODS(METHOD) \
    METHOD(negative, negative) \
    METHOD(absolute, absolute) \
    METHOD(sign, sign) \
    METHOD(floor, floor) \
    METHOD(ceil, ceil) \
    METHOD(trunc, trunc) \
    METHOD(exp, exp) \
    METHOD(exp2, exp2) \
    METHOD(expm1, expm1) \
    METHOD(log, log) \
    METHOD(log2, log2) \
    METHOD(log10, log10) \
    METHOD(log1p, log1p) \
    METHOD(sqrt, sqrt) \
    METHOD(sin, sin) \
    METHOD(cos, cos) \
    METHOD(tan, tan) \
    METHOD(arcsin, arcsin) \
    METHOD(arccos, arccos) \
    METHOD(sinh, sinh) \
    METHOD(cosh, cosh) \
    METHOD(tanh, tanh) \
    METHOD(arccosh, arccosh) \
    METHOD(arctanh, arctanh) \
    METHOD(sigmoid, sigmoid) \
    METHOD(softplus, softplus) \
    METHOD(relu, relu) \
    METHOD(asin, arcsin) \
    METHOD(acos, arccos) \
    METHOD(acosh, arccosh) \
    METHOD(atanh, arctanh) \
    METHOD(fabs, absolute)
