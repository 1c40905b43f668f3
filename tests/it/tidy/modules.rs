//! The modules of a crate, read from its files: the public types and the functions of each.

use std::collections::BTreeMap;

use syn::visit::{self, Visit};

use super::source::Source;

/// One file of a crate.
pub struct Module {
    pub source_path: String,
    /// Types and traits that others can see.
    pub public_types: Vec<String>,
    /// Functions, with their first lines and their lengths in lines.
    pub functions: Vec<(String, usize, usize)>,
}

/// The modules below the folder `root`, by their files, without those that are tests.
pub fn modules(root: &str, sources: &[Source]) -> BTreeMap<String, Module> {
    let of_crate = sources.iter().filter(|source| source.path.starts_with(root));
    let is_test = |path: &str| path.split('/').any(|part| part == "tests" || part == "tests.rs");
    let product = of_crate.filter(|source| !is_test(&source.path));
    product.map(|source| (source.path.clone(), Module::read(source))).collect()
}

impl Module {
    fn read(source: &Source) -> Module {
        let file = syn::parse_file(&source.text).unwrap_or_else(|error| panic!("{}: {error}", source.path));
        let source_path = source.path.clone();
        let mut module = Module { source_path, public_types: Vec::new(), functions: Vec::new() };
        module.visit_file(&file);
        module
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
            syn::Item::Fn(item) => self.measure(&item.sig.ident, &item.block),
            _ => {}
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.measure(&item.sig.ident, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg")
            && attribute.parse_args::<syn::Ident>().is_ok_and(|argument| argument == "test")
    })
}
