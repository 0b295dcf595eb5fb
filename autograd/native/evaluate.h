/* How C evaluates a row of the table on doubles: bit for bit as table/arithmetic.py and
 * table/special.py do in Python, which say why. A row without a function here is
 * evaluated by a call of its Python function. Nothing may be contracted or reordered:
 * the compiler is given -ffp-contract=off.
 */
#include <math.h>

static inline double row_add(double x, double y) { return x + y; }
static inline double row_subtract(double x, double y) { return x - y; }
static inline double row_multiply(double x, double y) { return x * y; }
static inline double row_divide(double x, double y) { return x / y; }
static inline double row_negative(double x) { return -x; }
static inline double row_absolute(double x) { return fabs(x); }

static inline double row_floor_divide(double x, double y) /* floatobject.c's */
{
    if (y == 0.0)
        return NAN;
    double rest = fmod(x, y), quotient = (x - rest) / y;
    if (rest != 0.0 && (y < 0.0) != (rest < 0.0))
        quotient -= 1.0;
    if (quotient == 0.0)
        return copysign(0.0, x / y);
    double whole = floor(quotient);
    return quotient - whole > 0.5 ? whole + 1.0 : whole;
}

static inline double row_remainder(double x, double y)
{
    if (y == 0.0)
        return NAN;
    double rest = fmod(x, y);
    if (rest == 0.0)
        return copysign(0.0, y);
    return (y < 0.0) != (rest < 0.0) ? rest + y : rest;
}

static inline double row_power(double x, double y) { return pow(x, y); }

static inline double row_sign(double x) { return x > 0.0 ? 1.0 : x < 0.0 ? -1.0 : isnan(x) ? x : 0.0; }
static inline double row_step(double x) { return x > 0.0 ? 1.0 : isnan(x) ? x : 0.0; }
static inline double row_relu(double x) { return x > 0.0 ? x : isnan(x) ? x : 0.0; }
static inline double row_floor(double x) { return floor(x) + 0.0; } /* never -0 */
static inline double row_ceil(double x) { return ceil(x) + 0.0; }
static inline double row_trunc(double x) { return trunc(x) + 0.0; }

static inline double row_less(double x, double y) { return x < y; }
static inline double row_less_equal(double x, double y) { return x <= y; }
static inline double row_greater(double x, double y) { return x > y; }
static inline double row_greater_equal(double x, double y) { return x >= y; }
static inline double row_equal(double x, double y) { return x == y; }
static inline double row_not_equal(double x, double y) { return x != y; }
static inline double row_where(double condition, double x, double y) { return condition != 0.0 ? x : y; }

static inline double row_guarded_multiply(double x, double y)
{
    double product = x * y;
    return product == product || x != 0.0 ? product : 0.0;
}

static inline double row_nonnegative(double x) { return x >= 0.0 ? x + 0.0 : NAN; }
static inline double row_one_minus_square(double x) { return (1.0 - x) * (1.0 + x); }

static inline double row_exp(double x) { return exp(x); }
static inline double row_exp2(double x) { return pow(2.0, x); }
static inline double row_expm1(double x) { return expm1(x); }
static inline double row_log(double x) { return x > 0.0 ? log(x) : x == 0.0 ? -INFINITY : NAN; }
static inline double row_log2(double x) { return x > 0.0 ? log2(x) : x == 0.0 ? -INFINITY : NAN; }
static inline double row_log10(double x) { return x > 0.0 ? log10(x) : x == 0.0 ? -INFINITY : NAN; }
static inline double row_log1p(double x)
{
    if (x == 0.0)
        return x;
    return x > -1.0 ? log1p(x) : x == -1.0 ? -INFINITY : NAN;
}
static inline double row_sqrt(double x) { return x >= 0.0 ? sqrt(x) : NAN; }

static inline double row_sin(double x) { return isinf(x) ? NAN : sin(x); }
static inline double row_cos(double x) { return isinf(x) ? NAN : cos(x); }
static inline double row_tan(double x) { return isinf(x) ? NAN : tan(x); }
static inline double row_sinh(double x) { return sinh(x); }
static inline double row_cosh(double x) { return cosh(x); }
static inline double row_tanh(double x) { return tanh(x); }
static inline double row_arcsin(double x) { return fabs(x) <= 1.0 ? asin(x) : NAN; }
static inline double row_arccos(double x) { return fabs(x) <= 1.0 ? acos(x) : NAN; }
static inline double row_arccosh(double x) { return x >= 1.0 ? acosh(x) : NAN; }
static inline double row_arctanh(double x)
{
    if (fabs(x) < 1.0)
        return atanh(x);
    return fabs(x) == 1.0 ? copysign(INFINITY, x) : NAN;
}

static inline double row_sech2(double x)
{
    if (fabs(x) < 0.5) {
        double t = tanh(x);
        return 1.0 - t * t;
    }
    double e = exp(-2.0 * fabs(x));
    return 4.0 * e / (1.0 + e * (2.0 + e));
}

static inline double row_sigmoid(double x)
{
    if (x >= 0.0)
        return 1.0 / (1.0 + exp(-x));
    double e = exp(x);
    return e / (1.0 + e);
}

static inline double row_softplus(double x)
{
    double tail = log1p(exp(-fabs(x)));
    return x > 0.0 ? x + tail : tail;
}

/* -- Rows of many operands, of which there is at least one ------------------------- */

static inline double row_sum(const double *xs, Py_ssize_t size)
{
    double total = 0.0;
    for (Py_ssize_t i = 0; i < size; i++)
        total += xs[i];
    return total;
}

static inline double row_dot(const double *ws, const double *xs, Py_ssize_t size)
{
    double total = -0.0; /* the neutral element of addition */
    for (Py_ssize_t i = 0; i < size; i++)
        total += ws[i] * xs[i];
    return size ? total : 0.0;
}

static inline double row_maximum(const double *xs, Py_ssize_t size)
{
    double best = xs[0];
    for (Py_ssize_t i = 0; i < size; i++)
        if (isnan(xs[i]))
            return xs[i];
        else if (xs[i] > best)
            best = xs[i];
    return best;
}

static inline double row_minimum(const double *xs, Py_ssize_t size)
{
    double best = xs[0];
    for (Py_ssize_t i = 0; i < size; i++)
        if (isnan(xs[i]))
            return xs[i];
        else if (xs[i] < best)
            best = xs[i];
    return best;
}

static inline double row_logsumexp(const double *xs, Py_ssize_t size)
{
    double largest = row_maximum(xs, size), rest = 0.0;
    if (!isfinite(largest))
        return largest;
    int first = 1;
    for (Py_ssize_t i = 0; i < size; i++)
        if (first && xs[i] == largest)
            first = 0;
        else
            rest += exp(xs[i] - largest);
    return largest + log1p(rest);
}
