//! Which file of the program uses which, read from its text: every path that begins with `crate`, `super`, `self` or
//! the name of a module declared in the same file. What only tests see is left out.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use proc_macro2::{Delimiter, TokenStream, TokenTree};

/// A path from the root of the crate, segment by segment.
type Segments = Vec<String>;

/// The program's files, by the path of the module that each of them is.
pub(super) struct Sources(BTreeMap<Segments, File>);

/// One file.
struct File {
    /// Its place below `src`, with `/`.
    name: String,
    /// The paths in it.
    paths: BTreeSet<Segments>,
    /// What stands for which path in it, by `use`.
    imports: BTreeMap<String, Segments>,
}

/// From the file that uses to the file that declares.
pub(super) type Dependency = (String, String);

impl Sources {
    /// Reads a crate's directory, the file of its binary aside.
    pub(super) fn read(directory: &Path) -> Self {
        let mut files = files(directory);
        files.retain(|(name, _)| name != "main.rs");
        Self::of(files.iter().map(|(name, text)| (name.as_str(), text.as_str())))
    }

    /// Takes texts by the names of their files.
    pub(super) fn of<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        let mut files = BTreeMap::new();
        let mut tests = Vec::new();
        for (name, text) in texts {
            let module = module(name);
            let tokens: TokenStream = text.parse().unwrap_or_else(|error| panic!("{name}: {error}"));
            let mut reader = Reader::default();
            reader.read(tokens, &module, true);
            tests.append(&mut reader.tests);
            let Reader { paths, imports, .. } = reader;
            files.insert(module, File { name: name.to_owned(), paths, imports });
        }
        files.retain(|module, _| !tests.iter().any(|test| module.starts_with(test)));
        Self(files)
    }

    /// All dependencies from one file to another.
    pub(super) fn dependencies(&self) -> BTreeSet<Dependency> {
        let mut dependencies = BTreeSet::new();
        for file in self.0.values() {
            for path in &file.paths {
                let target = self.declaring(path, 0);
                if target.name != file.name {
                    dependencies.insert((file.name.clone(), target.name.clone()));
                }
            }
        }
        dependencies
    }

    /// The file that declares what a path names; what is handed on by `use` is looked for where it comes from.
    fn declaring(&self, path: &[String], depth: usize) -> &File {
        let known = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]));
        let length = known.expect("lib.rs");
        let file = &self.0[&path[..length]];
        let (Some(name), true) = (path.get(length), depth < 10) else { return file };
        let Some(origin) = file.imports.get(name) else { return file };
        let whole: Segments = origin.iter().chain(&path[length + 1..]).cloned().collect();
        if whole == path { file } else { self.declaring(&whole, depth + 1) }
    }
}

/// The names and texts of all Rust files below a directory.
pub(super) fn files(directory: &Path) -> Vec<(String, String)> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).expect("a directory of sources") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|ending| ending == "rs") {
                let name = path.strip_prefix(directory).expect("a path below").to_str().expect("UTF-8");
                files.push((name.replace('\\', "/"), std::fs::read_to_string(&path).expect("text")));
            }
        }
    }
    files
}

/// The module that a file is: `a/mod.rs` and `a.rs` are `a`, `lib.rs` is the root.
fn module(name: &str) -> Segments {
    let stem = name.strip_suffix(".rs").expect("a Rust file");
    let stem = stem.strip_suffix("/mod").unwrap_or(stem);
    if stem == "lib" { Vec::new() } else { stem.split('/').map(str::to_owned).collect() }
}

#[derive(Default)]
struct Reader {
    paths: BTreeSet<Segments>,
    imports: BTreeMap<String, Segments>,
    /// Modules in files of their own that only tests see.
    tests: Vec<Segments>,
}

impl Reader {
    /// Reads what stands in a module, which may be one within a file.
    fn read(&mut self, tokens: TokenStream, module: &[String], is_file: bool) {
        let tokens: Vec<TokenTree> = tokens.into_iter().collect();
        let mut at = 0;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Punct(mark) if mark.as_char() == '#' && is_for_tests(tokens.get(at)) => {
                    at = self.skip_item(&tokens, at + 1, module);
                }
                TokenTree::Group(group) => self.read(group.stream(), module, is_file),
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), Some(TokenTree::Group(body))) =
                        (tokens.get(at), tokens.get(at + 1))
                    {
                        let inner: Segments = module.iter().cloned().chain([name.to_string()]).collect();
                        self.read(body.stream(), &inner, false);
                        at += 2;
                    }
                }
                TokenTree::Ident(word) if word == "use" => {
                    let end =
                        (at..tokens.len()).find(|end| is_mark(tokens.get(*end), ';')).unwrap_or(tokens.len());
                    self.import(&tokens[at..end], &[], module, is_file);
                    at = end;
                }
                TokenTree::Ident(_) if begins_path(&tokens, at - 1) => {
                    let (path, end) = path(&tokens, at - 1);
                    self.paths.extend(absolute(&path, module));
                    at = end;
                }
                _ => {}
            }
        }
    }

    /// Passes over what is marked for tests alone, and remembers a module in a file of its own.
    fn skip_item(&mut self, tokens: &[TokenTree], start: usize, module: &[String]) -> usize {
        let mut at = start;
        let mut is_item = false;
        while let Some(token) = tokens.get(at) {
            at += 1;
            match token {
                TokenTree::Ident(word) if word == "mod" => {
                    if let (Some(TokenTree::Ident(name)), true) =
                        (tokens.get(at), is_mark(tokens.get(at + 1), ';'))
                    {
                        self.tests.push(module.iter().cloned().chain([name.to_string()]).collect());
                    }
                    is_item = true;
                }
                TokenTree::Ident(word)
                    if ["fn", "impl", "use", "struct", "enum", "trait", "const", "static", "let"]
                        .contains(&&*word.to_string()) =>
                {
                    is_item = true;
                }
                TokenTree::Group(group) if group.delimiter() == Delimiter::Brace => break,
                TokenTree::Punct(mark) if mark.as_char() == ';' || (mark.as_char() == ',' && !is_item) => {
                    break;
                }
                _ => {}
            }
        }
        at
    }

    /// One tree of a `use`, with the path before it.
    fn import(&mut self, tokens: &[TokenTree], before: &[String], module: &[String], is_file: bool) {
        let (inner, end) = path(tokens, 0);
        let whole: Segments = before.iter().cloned().chain(inner).collect();
        match tokens.get(end) {
            Some(TokenTree::Group(group)) => {
                let branches: Vec<TokenTree> = group.stream().into_iter().collect();
                for branch in
                    branches.split(|token| is_mark(Some(token), ',')).filter(|branch| !branch.is_empty())
                {
                    self.import(branch, &whole, module, is_file);
                }
            }
            Some(TokenTree::Punct(star)) if star.as_char() == '*' => {
                self.paths.extend(absolute(&whole, module));
            }
            rest => {
                let itself = whole.last().is_some_and(|last| last == "self") && whole.len() > 1;
                let named = if itself { &whole[..whole.len() - 1] } else { &whole[..] };
                let alias = match (rest, tokens.get(end + 1)) {
                    (Some(TokenTree::Ident(word)), Some(TokenTree::Ident(alias))) if word == "as" => {
                        Some(alias.to_string())
                    }
                    _ => named.last().cloned(),
                };
                if let (Some(path), Some(alias)) = (absolute(named, module), alias) {
                    self.paths.insert(path.clone());
                    if is_file {
                        self.imports.insert(alias, path);
                    }
                }
            }
        }
    }
}

fn is_mark(token: Option<&TokenTree>, mark: char) -> bool {
    matches!(token, Some(TokenTree::Punct(found)) if found.as_char() == mark)
}

/// Whether an attribute marks what only tests see: `#[test]`, `#[cfg(test)]`, `#[cfg(all(test, …))]`.
fn is_for_tests(attribute: Option<&TokenTree>) -> bool {
    let Some(TokenTree::Group(group)) = attribute else { return false };
    let words: String = group.stream().to_string().split_whitespace().collect();
    words == "test" || words.starts_with("cfg(test") || words.starts_with("cfg(all(test")
}

/// Whether a path of two segments or more begins here.
fn begins_path(tokens: &[TokenTree], at: usize) -> bool {
    let continues = at >= 1
        && (is_mark(tokens.get(at - 1), ':') && at >= 2 && is_mark(tokens.get(at - 2), ':')
            || is_mark(tokens.get(at - 1), '.'));
    !continues && is_mark(tokens.get(at + 1), ':') && is_mark(tokens.get(at + 2), ':')
}

/// The segments from here on, and where they end.
fn path(tokens: &[TokenTree], start: usize) -> (Segments, usize) {
    let mut segments = Vec::new();
    let mut at = start;
    while let Some(TokenTree::Ident(word)) = tokens.get(at) {
        segments.push(word.to_string());
        at += 1;
        if !(is_mark(tokens.get(at), ':') && is_mark(tokens.get(at + 1), ':')) {
            break;
        }
        at += 2;
    }
    (segments, at)
}

/// A path from the root on, as seen from a module.
fn absolute(path: &[String], module: &[String]) -> Option<Segments> {
    let mut base = module.to_vec();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        _ => {}
    }
    while rest.first().is_some_and(|segment| segment == "super") {
        base.pop()?;
        rest = &rest[1..];
    }
    base.extend(rest.iter().cloned());
    Some(base)
}
