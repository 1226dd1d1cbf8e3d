//! The completions: sourced by the shells themselves, and asked.

use std::process::Stdio;

use crate::support::home::Home;
use crate::support::tool::Tool;

/// What is typed, the last word unfinished, and what is to be among the candidates.
const TYPED: [(&[&str], &str); 11] = [
    (&["expl"], "explain"),
    (&["explain", "hostname-m"], "hostname-mismatch"),
    (&["demo", "hostname-m"], "hostname-mismatch"),
    (&["clients", "--for", "psyc"], "psycopg"),
    (&["clients", "--as", "npg"], "npgsql"),
    (&["roots", "export", "azure-f"], "azure-flexible"),
    (&["roots", "check", "--provider", "azure-f"], "azure-flexible"),
    (&["--deny", "plaintext-a"], "plaintext-accepted"),
    (&["audit", "--deny", "plaintext-a"], "plaintext-accepted"),
    (&["--format", "js"], "json"),
    (&["completions", "fi"], "fish"),
];

#[test]
fn bash_completes() {
    for (words, wanted) in TYPED {
        let line: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let script = format!(
            r#"source <(pgtls-check completions bash); COMP_WORDS=(pgtls-check {}); COMP_CWORD={}
               function=$(complete -p pgtls-check | sed 's/.*-F \([^ ]*\).*/\1/')
               $function pgtls-check "${{COMP_WORDS[-1]}}" "${{COMP_WORDS[-2]}}"; printf '%s\n' "${{COMPREPLY[@]}}""#,
            line.join(" "),
            words.len()
        );
        offers("bash", &["--norc", "-c", &script], words, wanted);
    }
}

#[test]
fn fish_completes() {
    for (words, wanted) in TYPED {
        let typed = words.join(" ");
        let script = format!("pgtls-check completions fish | source; complete -C 'pgtls-check {typed}'");
        offers("fish", &["--no-config", "-c", &script], words, wanted);
    }
}

/// zsh completes at a prompt only: one in a terminal of zsh's own is typed at, and what it writes there is read. The
/// script is sourced, or found by its name in a directory of `$fpath`, as packages install it.
#[test]
fn zsh_completes() {
    let installed = "mkdir f; pgtls-check completions zsh > f/_pgtls-check; fpath=($PWD/f $fpath); autoload -U compinit; compinit -u -D";
    let sourced = "autoload -U compinit; compinit -u -D; source <(pgtls-check completions zsh)";
    for (setup, typed) in [(sourced, &TYPED[..]), (installed, &TYPED[1..3])] {
        for (words, wanted) in typed {
            let script = format!(
                r#"zmodload zsh/zpty; TERM=dumb
                   zpty shell zsh -f -i
                   zpty -w shell 'PS1=; {setup}; echo rea""dy'
                   while zpty -r shell line; do [[ $line = *ready* ]] && break; done
                   zpty -n -w shell $'pgtls-check {}\t'
                   zpty -n -w shell $'\x01: \x05; print do""ne\n'
                   while zpty -r shell line; do print -r -- $line; [[ $line = *done* ]] && break; done"#,
                words.join(" "),
            );
            offers("zsh", &["-f", "-c", &script], words, wanted);
        }
    }
}

#[test]
fn every_shell_has_a_script_that_asks_the_program() {
    let home = Home::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = Tool::at(&home).with(["completions", shell]).run();
        script.exits(0);
        assert!(script.stdout.contains("PGTLS_CHECK_COMPLETE"), "{script}");
    }
}

fn offers(shell: &str, arguments: &[&str], words: &[&str], wanted: &str) {
    let home = Home::new();
    let path = std::env::var("PATH").expect("a path");
    let program = std::path::Path::new(Tool::PROGRAM).parent().expect("its directory").display();
    let output = home
        .command(shell)
        .args(arguments)
        .env("PATH", format!("{program}:{path}"))
        .stdin(Stdio::null())
        .output()
        .expect("the shell starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(errors.is_empty(), "{words:?}: {errors}");
    let offered = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == wanted);
    assert!(offered, "{words:?} offers no {wanted}: {text}");
}
