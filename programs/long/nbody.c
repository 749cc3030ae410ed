/* The sun and its giant planets in double, step by step: energy and momentum must stay. */
#include <math.h>

#include "common.h"

enum { BODIES = 5, STEPS = 24 };

static const double DAYS = 365.24, SOLAR_MASS = 39.47841760435743;

struct vector {
  double x, y, z;
};

static struct body {
  const char *name;
  struct vector at, speed;
  double mass;
} bodies[BODIES] = {
    {"Sun", {0, 0, 0}, {0, 0, 0}, 1},
    {"Jupiter", {4.84143144246472090, -1.16032004402742839, -0.103622044471123109}, {0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023}, 0.000954791938424326609},
    {"Saturn", {8.34336671824457987, 4.12479856412430479, -0.403523417114321381}, {-0.00276742510726411021, 0.00499852801234917238, 0.0000230417297573763929}, 0.000285885980666130812},
    {"Uranus", {12.8943695621391310, -15.1111514016986312, -0.223307578892655734}, {0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556}, 0.0000436624404335156298},
    {"Neptune", {15.3796971148509165, -25.9193146099879641, 0.179258772950371181}, {0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870}, 0.0000515138902046611451},
};

static struct vector sum(struct vector a, struct vector b, double by) { return (struct vector){a.x + b.x * by, a.y + b.y * by, a.z + b.z * by}; }

static double dot(struct vector a, struct vector b) { return a.x * b.x + a.y * b.y + a.z * b.z; }

static struct vector momentum(void) {
  struct vector all = {0, 0, 0};
  for (int i = 0; i < BODIES; i++) all = sum(all, bodies[i].speed, bodies[i].mass);
  return all;
}

static double energy(void) {
  double all = 0;
  for (int i = 0; i < BODIES; i++) {
    all += 0.5 * bodies[i].mass * dot(bodies[i].speed, bodies[i].speed);
    for (int j = i + 1; j < BODIES; j++) {
      struct vector apart = sum(bodies[i].at, bodies[j].at, -1);
      all -= bodies[i].mass * bodies[j].mass / sqrt(dot(apart, apart));
    }
  }
  return all;
}

static void step(double time) {
  for (int i = 0; i < BODIES; i++)
    for (int j = i + 1; j < BODIES; j++) {
      struct vector apart = sum(bodies[i].at, bodies[j].at, -1);
      double square = dot(apart, apart), pull = time / (square * sqrt(square));
      bodies[i].speed = sum(bodies[i].speed, apart, -bodies[j].mass * pull);
      bodies[j].speed = sum(bodies[j].speed, apart, bodies[i].mass * pull);
    }
  for (int i = 0; i < BODIES; i++) bodies[i].at = sum(bodies[i].at, bodies[i].speed, time);
}

int main(void) {
  for (int i = 0; i < BODIES; i++) {
    bodies[i].speed = sum((struct vector){0, 0, 0}, bodies[i].speed, DAYS);
    bodies[i].mass *= SOLAR_MASS;
  }
  bodies[0].speed = sum((struct vector){0, 0, 0}, momentum(), -1 / SOLAR_MASS);
  double before = energy();
  printf("%.9f\n", before);
  check(fabs(before + 0.169075164) < 5e-10, "the energy");
  for (int i = 1; i <= STEPS; i++) {
    step(0.01);
    if (i % 8 == 0) {
      const struct body *b = &bodies[i / 8];
      printf("day %.1f: %s at %+.12f %+.12f %+.12f\n", i * 0.01 * DAYS, b->name, b->at.x, b->at.y, b->at.z);
      fprintf(stderr, "%d steps\n", i);
    }
  }
  double after = energy();
  struct vector drift = momentum();
  printf("%.9f\n", after);
  printf("momentum below 1e-15: %s\n", sqrt(dot(drift, drift)) < 1e-15 ? "yes" : "no");
  check(fabs(after - before) < 1e-5, "the energy stays");
  check(sqrt(dot(drift, drift)) < 1e-15, "the momentum stays");
  return verdict();
}
