/* The spring pendulum: a mass on a damped spring that swings in a plane. Runge-Kutta 4 over n steps of 0.01, the loss
   is the sum of squared deviations from the observed points (x, y); gradient in p = stiffness, mass, rest length,
   damping, first x, first y. The reverse sweep reads what the forward sweep stored of each evaluation of the slope. */
#include <math.h>
#define STEP 0.01
#define GRAVITY 9.81
typedef struct { double s[4], q; } Stage; /* the state x, y, vx, vy, and 1 / r */
static inline void slope(const double *p, Stage *a, double *restrict d) {
  const double *s = a->s;
  double q = a->q = 1 / sqrt(s[0] * s[0] + s[1] * s[1]), pull = p[0] * (1 - p[2] * q), w = 1 / p[1];
  d[0] = s[2]; d[1] = s[3];
  d[2] = -(pull * s[0] + p[3] * s[2]) * w;
  d[3] = -(pull * s[1] + p[3] * s[3]) * w - GRAVITY;
}
/* l: the cotangent of the slope; ds: that of the state (set); g: that of the parameters (added to) */
static inline void pull_back(const double *p, const Stage *a, const double *l, double *restrict ds, double *restrict g) {
  const double *s = a->s;
  double q = a->q, stretch = 1 - p[2] * q, pull = p[0] * stretch, w = 1 / p[1], u = -l[2] * w, v = -l[3] * w;
  double dpull = u * s[0] + v * s[1], dq = p[0] * p[2] * dpull * q * q * q; /* d(1/r)/dx = -x / r^3 */
  ds[0] = u * pull + dq * s[0]; ds[1] = v * pull + dq * s[1];
  ds[2] = l[0] + u * p[3]; ds[3] = l[1] + v * p[3];
  g[0] += stretch * dpull; g[2] -= p[0] * q * dpull; g[3] += u * s[2] + v * s[3];
  g[1] -= w * (u * (pull * s[0] + p[3] * s[2]) + v * (pull * s[1] + p[3] * s[3]));
}
static inline void ahead(const double *s, double h, const double *k, double *restrict out) { for (int i = 0; i < 4; i++) out[i] = s[i] + h * k[i]; }
/* room: 4 stages for each step, and the n states after them */
double pendulum(const double *p, const double *seen, long n, double *restrict room, double *restrict g) {
  Stage *stage = (Stage *)room; double *after = room + 20 * n, s[4] = {p[4], p[5], 0, 0}, loss = 0, k[4][4];
  for (long t = 0; t < n; t++) {
    Stage *a = stage + 4 * t;
    for (int i = 0; i < 4; i++) a[0].s[i] = s[i];
    slope(p, a, k[0]); ahead(s, STEP / 2, k[0], a[1].s);
    slope(p, a + 1, k[1]); ahead(s, STEP / 2, k[1], a[2].s);
    slope(p, a + 2, k[2]); ahead(s, STEP, k[2], a[3].s);
    slope(p, a + 3, k[3]);
    for (int i = 0; i < 4; i++) s[i] += STEP / 6 * (k[0][i] + 2 * k[1][i] + 2 * k[2][i] + k[3][i]);
    double dx = s[0] - seen[2 * t], dy = s[1] - seen[2 * t + 1]; loss += dx * dx + dy * dy;
    after[2 * t] = dx; after[2 * t + 1] = dy;
  }
  double l[4] = {0}, G[4] = {0};
  for (long t = n - 1; t >= 0; t--) {
    const Stage *a = stage + 4 * t; double d[4], sum[4];
    l[0] += 2 * after[2 * t]; l[1] += 2 * after[2 * t + 1];
    for (int i = 0; i < 4; i++) { k[3][i] = STEP / 6 * l[i]; k[2][i] = k[1][i] = STEP / 3 * l[i]; k[0][i] = STEP / 6 * l[i]; sum[i] = l[i]; }
    pull_back(p, a + 3, k[3], d, G); for (int i = 0; i < 4; i++) { sum[i] += d[i]; k[2][i] += STEP * d[i]; }
    pull_back(p, a + 2, k[2], d, G); for (int i = 0; i < 4; i++) { sum[i] += d[i]; k[1][i] += STEP / 2 * d[i]; }
    pull_back(p, a + 1, k[1], d, G); for (int i = 0; i < 4; i++) { sum[i] += d[i]; k[0][i] += STEP / 2 * d[i]; }
    pull_back(p, a, k[0], d, G); for (int i = 0; i < 4; i++) l[i] = sum[i] + d[i];
  }
  for (int i = 0; i < 4; i++) g[i] = G[i];
  g[4] = l[0]; g[5] = l[1];
  return loss;
}
