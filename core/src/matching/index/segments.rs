//! Rules by the leading segments of their paths: a trie.

use super::super::outline::{Outline, Tail};
use super::hash::{HashedMap, hash, mix};
use super::{Entry, Found};

/// A trie over segments.
#[derive(Debug)]
pub(super) struct Segments {
    /// The first is the root.
    nodes: Vec<Node>,
    /// Children by literal segment, of all nodes at once: by the hash of parent and segment.
    children: HashedMap<u32>,
}

#[derive(Debug, Default)]
struct Node {
    /// The child for any segment. 0 means none: the root is no node's child.
    any: u32,
    /// Whether there are children by literal segment.
    has_children: bool,
    /// Rules about paths that end here.
    ends: Vec<Entry>,
    /// Rules about every path that comes through here.
    rest: Vec<Entry>,
}

impl Default for Segments {
    fn default() -> Segments {
        Segments { nodes: vec![Node::default()], children: HashedMap::default() }
    }
}

impl Segments {
    /// Files a rule about paths of this outline.
    pub fn add(&mut self, outline: &Outline, entry: Entry) {
        let mut at = 0;
        for segment in &outline.segments {
            let fresh = self.nodes.len() as u32;
            let Some(node) = self.nodes.get_mut(at as usize) else { return };
            let child = match segment {
                Some(text) => {
                    node.has_children = true;
                    self.children.entry(child_key(at, text)).or_insert(fresh)
                }
                None if node.any == 0 => {
                    node.any = fresh;
                    &node.any
                }
                None => &node.any,
            };
            at = *child;
            if at == fresh {
                self.nodes.push(Node::default());
            }
        }
        let Some(node) = self.nodes.get_mut(at as usize) else { return };
        match outline.tail {
            Tail::End => node.ends.push(entry),
            Tail::Rest => node.rest.push(entry),
        }
    }

    pub fn find(&self, path: &str, found: &mut Found) {
        self.find_below(0, path, found);
    }

    /// Comes to each node at most once, and no deeper than the longest pattern.
    fn find_below(&self, at: u32, path: &str, found: &mut Found) {
        let Some(node) = self.nodes.get(at as usize) else { return };
        found.add(&node.rest);
        let Some(path) = path.strip_prefix('/') else {
            if path.is_empty() {
                found.add(&node.ends);
            }
            return;
        };
        if !node.has_children && node.any == 0 {
            return;
        }
        let end = path.bytes().position(|byte| byte == b'/').unwrap_or(path.len());
        let (segment, rest) = path.split_at(end);
        if node.has_children
            && let Some(child) = self.children.get(&child_key(at, segment))
        {
            self.find_below(*child, rest, found);
        }
        if node.any != 0 {
            self.find_below(node.any, rest, found);
        }
    }
}

fn child_key(parent: u32, segment: &str) -> u64 {
    mix(hash(0, segment.as_bytes()), parent.into())
}
