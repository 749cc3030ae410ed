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

/// The library's module has no long doubles.
const LONG: &str = r#"
#include <stdio.h>
int main(void) { printf("%Lf\n", 1.5L); return 0; }
"#;

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

    let program = file(&folder, "long.c", LONG);
    let done = weightware(&["run", &program, "--model", &model]);
    let said = ended(&done, 134);
    assert!(said.contains("unreachable"), "{said}");
}
