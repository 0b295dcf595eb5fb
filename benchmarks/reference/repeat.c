/* The reference programs called many times, so that a clock around one call of these measures C's own time. They are
   in a file of their own: the compiler sees no body and can drop no call. */
double mlp_plain(const double *, const double *, const double *, int, double *);
double mlp_soa(const double *, const double *, const double *, int, double *);
double rosen(const double *, long, double *);
void bs(const double *, const double *, const double *, const double *, const double *, long, double *, double *, double *, double *, double *, double *);
double step(double *, double *, double *, double *, const long *, int, int, double);
double mnist(const double *, const double *, double *);
double nbody(const double *, double *, long);
double pendulum(const double *, const double *, long, double *, double *);
double irregular(const int *, const int *, const int *, long, long, double *, double *);
#define REPEAT(NAME, PARAMETERS, ...) void repeat_##NAME PARAMETERS { for (long i = 0; i < times; i++) NAME(__VA_ARGS__); }
REPEAT(mlp_plain, (long times, double *p, double *x, double *y, int n, double *g), p, x, y, n, g)
REPEAT(mlp_soa, (long times, double *p, double *x, double *y, int n, double *g), p, x, y, n, g)
REPEAT(rosen, (long times, double *x, long n, double *g), x, n, g)
REPEAT(bs, (long times, double *S, double *K, double *T, double *r, double *v, long n, double *C, double *gS, double *gK, double *gT, double *gr, double *gv), S, K, T, r, v, n, C, gS, gK, gT, gr, gv)
REPEAT(step, (long times, double *p, double *m, double *v, double *g, long *tokens, int n, int number, double rate), p, m, v, g, tokens, n, number, rate)
REPEAT(mnist, (long times, double *p, double *x, double *g), p, x, g)
REPEAT(nbody, (long times, double *x, double *g, long n), x, g, n)
REPEAT(pendulum, (long times, double *p, double *seen, long n, double *room, double *g), p, seen, n, room, g)
REPEAT(irregular, (long times, int *op, int *a, int *b, long n, long leaves, double *x, double *d), op, a, b, n, leaves, x, d)
