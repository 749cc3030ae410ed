//! C programs whose C library is, in part, in the weights of a model.

use crate::common::*;

/// Numbers, texts, and a line that is longer than a buffer, on both streams.
const PRINTS: &str = r#"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    double x = atof("1.5e0");
    for (int i = 0; i < 3; i++) {
        x = x * 1.5 + 0.25;
        printf("%d %.6f %g\n", i, x, 1.0 / x);
    }
    puts("a line");
    char line[700];
    memset(line, 'x', sizeof line);
    line[699] = 0;
    printf("%s %zu\n", line, strlen(line));
    fprintf(stderr, "%5s|%-5s|%05d\n", "ab", "cd", -42);
    char text[8];
    return snprintf(text, sizeof text, "%s", "longer than that") + (strcmp(text, "longer ") != 0);
}
"#;

/// A function of the program's own, with a name of the C library.
const OWN: &str = r#"
#include <stdio.h>
size_t strlen(const char *text) { return text[0]; }
int main(int count, char **texts) { (void)count; return printf("") + (int)strlen(texts[1]); }
"#;

/// Directives that store and that take wide characters, and lengths that an `int` does not hold.
const DIRECTIVES: &str = r#"
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <wchar.h>

static void tell(int length) {
    printf("%d %d\n", length, errno == EOVERFLOW);
    errno = 0;
}

int main(void) {
    int n = -1;
    signed char hh[2] = {-1, -1};
    short h[2] = {-1, -1};
    long l[2] = {-1, -1};
    long long ll[2] = {-1, -1};
    intmax_t j[2] = {-1, -1};
    size_t z[2] = {1, 1};
    ptrdiff_t t[2] = {1, 1};
    printf("abc%n def%hhn %d%hn %5s%ln%lln|%jn%zn %%%tn\n", &n, hh, 42, h, "x", l, ll, j, z, t);
    printf("%d %d %d %ld %lld %jd %zu %td\n", n, hh[0], h[0], l[0], ll[0], j[0], z[0], t[0]);
    printf("%d %d %ld %lld %jd %zu %td\n", hh[1], h[1], l[1], ll[1], j[1], z[1], t[1]);
    tell(printf("%300d%n|%hhn\n", 1, &n, hh));
    tell(n + hh[0]);
    const wchar_t *wide = L"wide";
    tell(printf("%5ls|%-3.2ls|%5lc|%-3C|%S|%.1S|%lc|\n", wide, wide, L'x', L'y', wide, wide, 0));
    printf("%'d|%'10.2f|%'u|%-'8d|%p\n", 1234567, 1234567.5, 7u, 12, (void *)1000);
    char text[8];
    volatile size_t size = (size_t)INT_MAX + 1;
    tell(snprintf(text, size, "%s", "x"));
    tell(snprintf(text, sizeof text, "abc%2147483647d", 1));
    tell(printf("%99999999999d", 1));
    tell(printf("%2147483648s", "a"));
    tell(printf("%.2147483648d", 1));
    return printf("%a %.3a\n", 1.5, -0.1);
}
"#;

/// Lines that are longer than the stack, or about as long as the buffers of `printf`.
const LINES: &str = r#"
#include <stdio.h>

static char text[40001];

int main(void) {
    for (int i = 0; i < 40000; i++) text[i] = 'a' + i % 26;
    int length = printf("<%s>%d\n", text, 5);
    length += printf("%60000d|%-9000d|\n", 1, 2);
    for (int i = 254; i < 258; i++) length += printf("%.*s%d\n", i - 4, text, i);
    for (int i = 4094; i < 4098; i++) length += fprintf(stderr, "%.*s%d\n", i - 5, text, i);
    return printf("%d\n", length);
}
"#;

/// Directives that the library's module does not have.
const FOREIGN: [&str; 4] = [
    r#""%Lf\n", 1.5L"#,
    r#""%m\n""#,
    r#""%2$d %1$d\n", 1, 2"#,
    r#""%lc\n", 233"#,
];

/// The number of tokens of a program's prompt.
fn prompt(args: &[&str]) -> usize {
    let printed = weightware(&[&["tokens"], args].concat());
    ended(&printed, 0);
    stdout(&printed).split_whitespace().count()
}

#[test]
fn printf_comes_from_the_weights() {
    let folder = folder("libc");
    let model = string(&folder.join("model"));
    let made = weightware(&["weights", "--rom", "software,strings", "--out", &model]);
    ended(&made, 0);
    let with_model = ["--model", &model];

    let program = file(&folder, "prints.c", PRINTS);
    let plain = weightware(&["run", &program]);
    let said = stderr(&plain);
    if status(&plain) == Some(2) && (said.contains("C library") || said.contains("needs clang")) {
        return;
    }
    let done = weightware(&["run", &program, "--model", &model, "--check"]);
    assert_eq!(stdout(&done), stdout(&plain));
    assert!(stdout(&done).contains("x 699\n"));
    assert_eq!(ended(&done, 16), ended(&plain, 16));
    let [with, without] =
        [&with_model[..], &[]].map(|machine| prompt(&[&[&*program], machine].concat()));
    assert!(
        5 * with < without,
        "{with} tokens, and {without} without the library"
    );

    let program = file(&folder, "own.c", OWN);
    for machine in [&with_model[..], &[]] {
        let done = weightware(&[&["run", &program], machine, &["--", "A"]].concat());
        assert_eq!(ended(&done, 65), "");
    }

    for (name, source) in [("directives.c", DIRECTIVES), ("lines.c", LINES)] {
        let program = file(&folder, name, source);
        let [done, plain] = [&with_model[..], &[]]
            .map(|machine| weightware(&[&["run", &program], machine].concat()));
        assert!(status(&plain).is_some_and(|status| (1..64).contains(&status)));
        assert_eq!(status(&done), status(&plain), "{name}: {}", stderr(&done));
        assert_eq!(stdout(&done), stdout(&plain), "{name}");
        assert_eq!(stderr(&done), stderr(&plain), "{name}");
    }

    for arguments in FOREIGN {
        let source =
            format!("#include <stdio.h>\nint main(void) {{ return printf({arguments}); }}\n");
        let program = file(&folder, "foreign.c", &source);
        let done = weightware(&["run", &program, "--model", &model]);
        let said = ended(&done, 134);
        assert!(said.contains("unreachable"), "{arguments}: {said}");
    }
}
