/* Loops for which NumPy needs many passes over the same arrays.

   `loops.py` calls them and documents them. All arrays are contiguous, positions are int64. */

#include <stdint.h>

typedef int64_t i64;

/* If the system can choose by processor, the loops are compiled for newer processors too. */
#if defined(__x86_64__) && defined(__gnu_linux__) && defined(__GNUC__) && !defined(__clang__)
#define QUICK __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define QUICK
#endif

enum { NEAR = 8, STRIDES = 4 };

/* Return the first of the positions from..stop-1 whose value is not below the bound, else stop.
   The values ascend. The position is mostly near: counting the lesser values of the next few needs
   no branch that a processor could predict wrongly. Otherwise, steps double until the bound is
   passed (Bentley and Yao, "An almost optimal algorithm for unbounded searching", 1976). */
static inline i64 first_from(const i64 *values, i64 from, i64 stop, i64 bound) {
  for (int stride = 0; stride < STRIDES && stop - from >= NEAR; stride++) {
    int below = 0;
    for (int nth = 0; nth < NEAR; nth++) below += values[from + nth] < bound;
    from += below;
    if (below < NEAR) return from;
  }
  i64 step = 1;
  while (step <= stop - from && values[from + step - 1] < bound) {
    from += step;
    step <<= 1;
  }
  while (step >>= 1)
    if (step <= stop - from && values[from + step - 1] < bound) from += step;
  return from;
}

static i64 earlier(i64 moment, i64 shift) {
  i64 shifted;
  if (!__builtin_sub_overflow(moment, shift, &shifted)) return shifted;
  return shift > 0 ? INT64_MIN : INT64_MAX;
}

QUICK void count_before(const i64 *codes, const i64 *times, i64 rows, const i64 *searched,
                  const i64 *moments, i64 shift, i64 count, i64 *answer) {
  i64 first = 0, stop = 0, at = 0, last = INT64_MIN;
  for (i64 i = 0; i < count; i++) {
    i64 moment = earlier(moments[i], shift);
    if (i == 0 || searched[i] != searched[i - 1]) {
      first = at = first_from(codes, stop, rows, searched[i]);
      stop = first_from(codes, first, rows, searched[i] + 1);
    } else if (moment < last) {
      at = first;
    }
    at = first_from(times, at, stop, moment);
    answer[i] = at;
    last = moment;
  }
}

static int power(i64 length) { return 63 - __builtin_clzll((unsigned long long)length); }

/* Compute the nearest floats to sums of two digits; a digit's sum is the difference of two running
   sums. Return whether the sums of all digits are exactly floats; otherwise the answer is wrong. */
QUICK int add_digits(const i64 *low, const i64 *high, double low_unit, double high_unit,
               const i64 *start, const i64 *stop, i64 count, double *answer) {
  i64 most = (i64)1 << 53, beyond = 0;
  for (i64 i = 0; i < count; i++) {
    i64 ones = low[stop[i]] - low[start[i]], others = high[stop[i]] - high[start[i]];
    beyond |= (ones > most) | (ones < -most) | (others > most) | (others < -most);
    answer[i] = (double)ones * low_unit + (double)others * high_unit;
  }
  return !beyond;
}

/* The tables of `range_table.py`, and the least or greatest of ranges; NaN is chosen first. */
#define CHOOSE(NAME, TYPE, BEATS, HAS_NAN)                                                     \
  QUICK void fill_##NAME(TYPE *table, i64 values, int levels) {                                      \
    for (int level = 1; level < levels; level++) {                                             \
      i64 half = (i64)1 << (level - 1), inside = values > half ? values - half : 0;            \
      const TYPE *below = table + (level - 1) * values;                                        \
      TYPE *above = table + level * values;                                                    \
      for (i64 at = 0; at < inside; at++) {                                                    \
        TYPE left = below[at], right = below[at + half];                                       \
        above[at] = (left BEATS right) | (left != left) ? left : right;                        \
      }                                                                                        \
      for (i64 at = inside; at < values; at++) above[at] = below[at];                          \
    }                                                                                          \
  }                                                                                            \
  static TYPE NAME##_of(const TYPE *some, int count) {                                         \
    TYPE best = some[0], sum = some[0];                                                        \
    for (int nth = 1; nth < count; nth++) {                                                    \
      best = some[nth] BEATS best ? some[nth] : best;                                          \
      if (HAS_NAN) sum += some[nth];                                                           \
    }                                                                                          \
    if (HAS_NAN && sum != sum) /* a NaN, or infinities of both signs */                        \
      for (int nth = 0; nth < count; nth++)                                                    \
        if (some[nth] != some[nth]) return some[nth];                                          \
    return best;                                                                               \
  }                                                                                            \
  QUICK void find_##NAME(const TYPE *near, i64 values, const TYPE *far, i64 blocks, int levels,      \
                   const i64 *start, const i64 *stop, i64 count, TYPE *answer) {               \
    int shift = levels - 1;                                                                    \
    i64 block = (i64)1 << shift;                                                               \
    for (i64 i = 0; i < count; i++) {                                                          \
      i64 length = stop[i] - start[i];                                                         \
      if (length <= 0) {                                                                       \
        answer[i] = 0;                                                                         \
        continue;                                                                              \
      }                                                                                        \
      int level = length < 2 * block ? power(length) : shift;                                  \
      const TYPE *row = near + level * values;                                                 \
      TYPE some[4] = {row[start[i]], row[stop[i] - ((i64)1 << level)]};                        \
      i64 from = (start[i] + block - 1) >> shift, to = stop[i] >> shift;                       \
      if (from >= to) {                                                                        \
        answer[i] = NAME##_of(some, 2);                                                        \
        continue;                                                                              \
      }                                                                                        \
      level = power(to - from);                                                                \
      row = far + level * blocks;                                                              \
      some[2] = row[from];                                                                     \
      some[3] = row[to - ((i64)1 << level)];                                                   \
      answer[i] = NAME##_of(some, 4);                                                          \
    }                                                                                          \
  }

CHOOSE(least_float, double, <, 1)
CHOOSE(greatest_float, double, >, 1)
CHOOSE(least_int, i64, <, 0)
CHOOSE(greatest_int, i64, >, 0)

/* The hash of this source, which `loops.py` compares. */
#ifndef MADE_OF
#define MADE_OF ""
#endif
const char *made_of = MADE_OF;
