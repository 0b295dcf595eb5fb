/* A random program as a tape: one switch for each instruction, forward and in reverse. Instruction i computes number
   leaves + i: 0 sum, 1 difference, 2 half of the product, 3 tanh. The loss is the sum of tanh of the last 500 numbers. */
#include <math.h>
#include <string.h>
double irregular(const int *restrict op, const int *restrict a, const int *restrict b, long n, long leaves, double *restrict x, double *restrict d) {
  long all = leaves + n, first = all > 500 ? all - 500 : 0; double loss = 0;
  for (long i = 0; i < n; i++) {
    double u = x[a[i]], v = x[b[i]];
    switch (op[i]) {
      case 0: x[leaves + i] = u + v; break;
      case 1: x[leaves + i] = u - v; break;
      case 2: x[leaves + i] = 0.5 * u * v; break;
      default: x[leaves + i] = tanh(u);
    }
  }
  memset(d, 0, all * sizeof *d);
  for (long i = first; i < all; i++) { double y = tanh(x[i]); loss += y; d[i] = 1 - y * y; }
  for (long i = n - 1; i >= 0; i--) {
    double g = d[leaves + i], y = x[leaves + i];
    switch (op[i]) {
      case 0: d[a[i]] += g; d[b[i]] += g; break;
      case 1: d[a[i]] += g; d[b[i]] -= g; break;
      case 2: g *= 0.5; y = x[a[i]]; d[a[i]] += g * x[b[i]]; d[b[i]] += g * y; break;
      default: d[a[i]] += g * (1 - y * y);
    }
  }
  return loss;
}
