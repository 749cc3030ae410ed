/* Days, dates and times by several formulas that must agree: weekdays, Easter, Julian days; the library's too. */
#define _DEFAULT_SOURCE
#include <time.h>

#include "common.h"

static const char *const WEEKDAY[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const MONTH[] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};

struct date {
  int year, month, day;
};

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

static int days_in(int year, int month) { return month == 2 ? 28 + is_leap(year) : 30 + ((month + month / 8) & 1); }

/* Days since 1970-01-01; years begin with March, eras are 400 years. */
static int to_days(struct date date) {
  int year = date.year - (date.month <= 2), era = (year >= 0 ? year : year - 399) / 400, of_era = year - 400 * era;
  int of_year = (153 * (date.month + (date.month > 2 ? -3 : 9)) + 2) / 5 + date.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static struct date from_days(int days) {
  days += 719468;
  int era = (days >= 0 ? days : days - 146096) / 146097, of_era = days - era * 146097;
  int year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int of_year = of_era - (365 * year + year / 4 - year / 100), month = (5 * of_year + 2) / 153;
  struct date date = {year + era * 400, month < 10 ? month + 3 : month - 9, of_year - (153 * month + 2) / 5 + 1};
  date.year += date.month <= 2;
  return date;
}

static int weekday(int days) { return (days % 7 + 11) % 7; }

/* Zeller, and Sakamoto. */
static int zeller(struct date date) {
  int month = date.month < 3 ? date.month + 12 : date.month, year = date.month < 3 ? date.year - 1 : date.year;
  return (date.day + 13 * (month + 1) / 5 + year % 100 + year % 100 / 4 + year / 100 / 4 + 5 * (year / 100) + 6) % 7;
}

static int sakamoto(struct date date) {
  static const int TABLE[] = {0, 3, 2, 5, 0, 3, 5, 1, 4, 6, 2, 4};
  int year = date.year - (date.month < 3);
  return (year + year / 4 - year / 100 + year / 400 + TABLE[date.month - 1] + date.day) % 7;
}

/* Gauss and Lichtenberg; and Meeus, Jones and Butcher. */
static struct date easter(int year) {
  int k = year / 100, m = 15 + (3 * k + 3) / 4 - (8 * k + 13) / 25, s = 2 - (3 * k + 3) / 4, a = year % 19, d = (19 * a + m) % 30;
  int r = (d + a / 11) / 29, og = 21 + d - r, sz = 7 - (year + year / 4 + s) % 7, oe = 7 - (og - sz) % 7, day = og + oe;
  return (struct date){year, day > 31 ? 4 : 3, day > 31 ? day - 31 : day};
}

static struct date easter_again(int year) {
  int a = year % 19, b = year / 100, c = year % 100, d = b / 4, e = b % 4, f = (b + 8) / 25, g = (b - f + 1) / 3;
  int h = (19 * a + b - d - g + 15) % 30, i = c / 4, k = c % 4, l = (32 + 2 * e + 2 * i - h - k) % 7, m = (a + 11 * h + 22 * l) / 451;
  return (struct date){year, (h + l - 7 * m + 114) / 31, (h + l - 7 * m + 114) % 31 + 1};
}

static void show_month(int year, int month) {
  printf("%s %d\n", MONTH[month - 1], year);
  int first = (weekday(to_days((struct date){year, month, 1})) + 6) % 7;
  printf("%*s", 3 * first, "");
  for (int day = 1; day <= days_in(year, month); day++)
    printf("%2d%c", day, (first + day) % 7 == 0 || day == days_in(year, month) ? '\n' : ' ');
}

/* Years that have 53 weeks. */
static bool is_long(int year) {
  int first = weekday(to_days((struct date){year, 1, 1}));
  return first == 4 || (first == 3 && is_leap(year));
}

int main(void) {
  int days = to_days((struct date){1969, 11, 20}), fridays = 0;
  for (struct date date = {1969, 11, 20}; date.year < 1973; days++) {
    struct date same = from_days(days);
    check(same.year == date.year && same.month == date.month && same.day == date.day && to_days(date) == days, "days and dates");
    int of_week = weekday(days);
    if (date.day % 5 == 0) check(of_week == zeller(date) && of_week == sakamoto(date), "weekdays");
    if (date.day == 13 && of_week == 5) {
      printf("Friday, %d %s %d, day %d\n", date.day, MONTH[date.month - 1], date.year, days);
      fridays++;
    }
    if (++date.day > days_in(date.year, date.month)) {
      date.day = 1;
      if (++date.month > 12) {
        date.month = 1;
        date.year++;
      }
    }
  }
  printf("%d Fridays\n", fridays);
  fprintf(stderr, "days done\n");
  static const struct date KNOWN[] = {{1492, 10, 12}, {1582, 10, 15}, {1789, 7, 14}, {1815, 12, 10}, {1912, 6, 23}, {1969, 7, 20}, {2000, 2, 29}, {2038, 1, 19}, {2400, 2, 29}};
  static const int DAY[] = {3, 5, 2, 0, 0, 0, 2, 2, 2};
  for (size_t i = 0; i < LENGTH(KNOWN); i++) {
    int at = to_days(KNOWN[i]);
    printf("%04d-%02d-%02d is a %s, Julian day %d\n", KNOWN[i].year, KNOWN[i].month, KNOWN[i].day, WEEKDAY[weekday(at)], at + 2440588);
    check(weekday(at) == DAY[i], "a known day");
  }
  int earliest = 0, latest = 0, march = 0;
  for (int year = 1900; year < 2100; year += 1) {
    struct date a = easter(year), b = easter_again(year);
    check(a.month == b.month && a.day == b.day, "Easter");
    if (year % 20 == 0) check(weekday(to_days(a)) == 0, "Easter is a Sunday");
    march += a.month == 3;
    if (a.month == 3 && a.day == 23 && !earliest) earliest = year;
    if (a.month == 4 && a.day == 25) latest = year;
    if (year % 25 == 0) printf("Easter %d: %d %s\n", year, a.day, MONTH[a.month - 1]);
  }
  printf("%d in March; on 23 March %d, on 25 April %d\n", march, earliest, latest);
  check(earliest == 1913 && latest == 2038, "extremes of Easter");
  fprintf(stderr, "Easter done\n");
  show_month(1752, 9);
  show_month(2024, 2);
  for (int year = 2015; year < 2045; year++)
    if (is_long(year)) printf("%d%s", year, year < 2043 ? " " : "\n");
  static const time_t TIMES[] = {0, 86399, 951782400, 1234567890, 2147483647, -1};
  for (size_t i = 0; i < LENGTH(TIMES); i++) {
    char text[80];
    struct tm tm = *gmtime(&TIMES[i]);
    strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ %a %d %b, day %j, %I %p", &tm);
    puts(text);
    struct date date = from_days((int)(TIMES[i] / 86400) - (TIMES[i] < 0));
    check(date.year == tm.tm_year + 1900 && date.month == tm.tm_mon + 1 && date.day == tm.tm_mday, "the library's dates");
    check(timegm(&tm) == TIMES[i], "timegm");
  }
  return verdict();
}
