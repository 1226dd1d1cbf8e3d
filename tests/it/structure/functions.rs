//! How long the program's functions are, by the text of the sources.

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A function with a body.
#[derive(Debug)]
pub(super) struct Function {
    /// Its file and its name.
    pub name: String,
    /// From the line of its `fn` to the line of its last brace.
    pub lines: usize,
}

/// All functions of a file, those of its tests and those within others included.
pub(super) fn functions(file: &str, text: &str) -> impl Iterator<Item = Function> {
    let mut found = Vec::new();
    let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{file}: {error}"));
    read(tokens, file, &mut found);
    found.into_iter()
}

fn read(tokens: TokenStream, file: &str, found: &mut Vec<Function>) {
    let mut tokens = tokens.into_iter().peekable();
    // The function whose body is still to come: its name and first line.
    let mut open: Option<(String, usize)> = None;
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(word) if word == "fn" => {
                // What has no name is a type.
                if let Some(TokenTree::Ident(name)) = tokens.peek() {
                    open = Some((format!("{file}: {name}"), word.span().start().line));
                }
            }
            TokenTree::Punct(mark) if mark.as_char() == ';' => open = None,
            TokenTree::Group(group) => {
                if group.delimiter() == Delimiter::Brace
                    && let Some((name, first)) = open.take()
                {
                    let last = group.span_close().end().line;
                    found.push(Function { name, lines: last - first + 1 });
                }
                read(group.stream(), file, found);
            }
            TokenTree::Ident(_) | TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}
