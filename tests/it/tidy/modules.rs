//! The modules of a crate, read from its files: the public types and the functions of each, and which others it uses.

use std::collections::{BTreeMap, BTreeSet};

use syn::visit::{self, Visit};

use super::source::Source;

/// The names of a module below its crate, such as `rules`, `read`.
pub type ModulePath = Vec<String>;

/// One file of a crate.
#[derive(Default)]
pub struct Module {
    pub source_path: String,
    /// Types and traits that others can see.
    pub public_types: Vec<String>,
    /// Functions, with their first lines and their lengths in lines.
    pub functions: Vec<(String, usize, usize)>,
    path: ModulePath,
    /// The modules within the file around what is read.
    inline: Vec<String>,
    /// What its private imports name, by the names that they have here.
    imports: Vec<(String, Vec<String>)>,
    /// The same of the imports that it hands on.
    exports: BTreeMap<String, Vec<String>>,
    /// The paths in its code.
    paths: BTreeSet<Vec<String>>,
}

/// The modules below the folder `root`, without those that are tests.
pub fn modules(root: &str, sources: &[Source]) -> BTreeMap<ModulePath, Module> {
    let is_test = |path: &str| path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let of_crate = sources.iter().filter_map(|source| Some((source.path.strip_prefix(root)?, source)));
    let product = of_crate.filter(|(path, _)| !is_test(path));
    product
        .map(|(path, source)| {
            let path = module_path(path);
            (path.clone(), Module::read(path, source))
        })
        .collect()
}

/// The folder that a file heads or lies in: `a/b.rs` heads `a/b` where there is one.
pub fn folder<'p>(path: &'p ModulePath, all: &BTreeMap<ModulePath, Module>) -> &'p [String] {
    let is_head = all.keys().any(|other| other.len() > path.len() && other.starts_with(path));
    if is_head { path } else { &path[..path.len().saturating_sub(1)] }
}

/// The modules that a module uses. A name that another module only hands on is looked for where it is defined.
pub fn used_by(path: &ModulePath, all: &BTreeMap<ModulePath, Module>) -> BTreeSet<ModulePath> {
    let module = &all[path];
    let imported = module.imports.iter().map(|(_, import)| import);
    // One name alone may be a variable's.
    let in_code =
        module.paths.iter().filter(|names| names.len() > 1 || module.exports.contains_key(&names[0]));
    let used = imported.chain(in_code).map(|used| module.absolute(used));
    used.filter_map(|used| resolve(&used, all, 0)).filter(|target| target != path).collect()
}

/// The module in which the name of an absolute path is defined.
fn resolve(used: &[String], all: &BTreeMap<ModulePath, Module>, depth: usize) -> Option<ModulePath> {
    let length = (0..=used.len()).rev().find(|length| all.contains_key(&used[..*length]))?;
    let (path, rest) = used.split_at(length);
    let module = &all[path];
    match rest.split_first().and_then(|(name, rest)| Some((module.exports.get(name)?, rest))) {
        // Names that are handed on in a circle do not compile; the bound is for what is misread.
        Some((exported, rest)) if depth < 8 => {
            let exported = module.absolute(exported).into_iter().chain(rest.iter().cloned());
            resolve(&exported.collect::<Vec<_>>(), all, depth + 1)
        }
        _ => Some(path.to_vec()),
    }
}

fn module_path(path: &str) -> ModulePath {
    let mut names: ModulePath = path.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
    names.pop_if(|name| name == "mod" || name == "lib");
    names
}

impl Module {
    fn read(path: ModulePath, source: &Source) -> Module {
        let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
        let mut module = Module { source_path: source.path.clone(), path, ..Module::default() };
        module.visit_file(&file);
        module
    }

    /// A path from the crate's root; its first name may be one that an import gives.
    fn absolute(&self, names: &[String]) -> Vec<String> {
        let Some((first, rest)) = names.split_first() else { return Vec::new() };
        let import = self.imports.iter().find(|(name, _)| name == first).map(|(_, import)| import);
        match import.or(self.exports.get(first)) {
            Some(import) => self.rooted(import).into_iter().chain(rest.iter().cloned()).collect(),
            None => self.rooted(names),
        }
    }

    /// A path from the crate's root. One that does not begin with a keyword is taken for one of a child module: the
    /// path of another crate then leads to this module itself.
    fn rooted(&self, names: &[String]) -> Vec<String> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        let (base, rest) = match names.first().map(String::as_str) {
            Some("crate") => (&[][..], &names[1..]),
            Some("self") => (&self.path[..], &names[1..]),
            _ => (&self.path[..self.path.len().saturating_sub(ups)], &names[ups..]),
        };
        base.iter().chain(rest).cloned().collect()
    }

    /// A path as it would be written outside of the file's inner modules.
    fn outside(&self, names: Vec<String>) -> Vec<String> {
        let ups = names.iter().take_while(|name| *name == "super").count();
        match self.inline.len().checked_sub(ups) {
            _ if ups == 0 => names,
            None => names[self.inline.len()..].to_vec(),
            // It stays in the file.
            Some(_) => vec!["self".to_owned()],
        }
    }

    fn define(&mut self, visibility: &syn::Visibility, name: &syn::Ident) {
        if !matches!(visibility, syn::Visibility::Inherited) {
            self.public_types.push(name.to_string());
        }
    }

    fn measure(&mut self, name: &syn::Ident, block: &syn::Block) {
        let (first, last) = (name.span().start().line, block.brace_token.span.close().end().line);
        self.functions.push((name.to_string(), first, last + 1 - first));
    }
}

impl<'ast> Visit<'ast> for Module {
    fn visit_item(&mut self, item: &'ast syn::Item) {
        match item {
            syn::Item::Struct(item) => self.define(&item.vis, &item.ident),
            syn::Item::Enum(item) => self.define(&item.vis, &item.ident),
            syn::Item::Trait(item) => self.define(&item.vis, &item.ident),
            syn::Item::Type(item) => self.define(&item.vis, &item.ident),
            syn::Item::Mod(item) if is_test(&item.attrs) => return,
            syn::Item::Use(item) if is_test(&item.attrs) => return,
            syn::Item::Mod(item) if item.content.is_some() => {
                self.inline.push(item.ident.to_string());
                visit::visit_item_mod(self, item);
                self.inline.pop();
                return;
            }
            syn::Item::Fn(item) => self.measure(&item.sig.ident, &item.block),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut imports = Vec::new();
        leaves(&item.tree, &[], &mut imports);
        let imports = imports.into_iter().map(|(name, path)| (name, self.outside(path))).collect::<Vec<_>>();
        match item.vis {
            syn::Visibility::Inherited => self.imports.extend(imports),
            _ => self.exports.extend(imports),
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        self.paths.insert(self.outside(names));
        visit::visit_path(self, path);
    }

    /// `pub(in path)` uses nothing.
    fn visit_visibility(&mut self, _: &'ast syn::Visibility) {}

    /// The arguments of a macro are not parsed: the paths are what looks like one.
    fn visit_macro(&mut self, item: &'ast syn::Macro) {
        let text = item.tokens.to_string().replace(" :: ", "::");
        for path in text.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')) {
            let names: Vec<String> = path.split("::").map(str::to_owned).collect();
            if names.iter().all(|name| !name.is_empty() && !name.contains(':')) {
                self.paths.insert(self.outside(names));
            }
        }
        visit::visit_macro(self, item);
    }
}

/// Every path of a `use`, with the name that it gets here.
fn leaves(tree: &syn::UseTree, before: &[String], found: &mut Vec<(String, Vec<String>)>) {
    let with = |name: &syn::Ident| before.iter().cloned().chain([name.to_string()]).collect::<Vec<_>>();
    match tree {
        syn::UseTree::Path(path) => leaves(&path.tree, &with(&path.ident), found),
        syn::UseTree::Name(name) if name.ident == "self" => {
            found.push((before.last().cloned().unwrap_or_default(), before.to_vec()));
        }
        syn::UseTree::Name(name) => found.push((name.ident.to_string(), with(&name.ident))),
        syn::UseTree::Rename(name) => found.push((name.rename.to_string(), with(&name.ident))),
        syn::UseTree::Glob(_) => found.push(("*".to_owned(), before.to_vec())),
        syn::UseTree::Group(group) => group.items.iter().for_each(|tree| leaves(tree, before, found)),
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}
