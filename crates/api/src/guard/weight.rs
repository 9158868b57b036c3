//! How heavy a selection is, as numbers that add up: what makes one pass over a document enough.

use std::ops::Add;

/// The weight of one selection set, its fragments expanded. All sums saturate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Fields, at every level.
    pub selections: u64,
    /// Aliases, at every level.
    pub aliases: u64,
    /// Fields of the first level.
    pub fields: u64,
    /// Fields below one another.
    pub depth: u64,
    /// Selection sets below one another, those of fragments included.
    pub levels: u64,
    /// Fields times the pages they stand in.
    pub complexity: u64,
    /// Items of all pages.
    pub nodes: u64,
    /// Whether the set selects a page's items, which makes its parent a connection.
    pub paged: bool,
    /// Fields times assumed list sizes, should this set describe the schema.
    pub described: u64,
    /// The same for the parts of this set that certainly do.
    pub introspection: u64,
    /// Fields below one another in those parts.
    pub introspection_depth: u64,
}

impl Weight {
    /// A field above this selection set that answers with a page of that many items.
    pub(super) fn under_field(self, name: &str, page: Option<u64>, aliased: bool) -> Self {
        let items = page.unwrap_or(1);
        Self {
            selections: self.selections.saturating_add(1),
            aliases: self.aliases.saturating_add(u64::from(aliased)),
            fields: 1,
            depth: self.depth + 1,
            complexity: items.saturating_mul(self.complexity).saturating_add(1),
            nodes: items
                .saturating_mul(self.nodes)
                .saturating_add(page.unwrap_or(0)),
            paged: is_page_items(name),
            described: assumed_size(name)
                .saturating_mul(self.described)
                .saturating_add(1),
            ..self
        }
    }

    /// `__schema` or `__type` above this selection set: no rows are read below, so the sizes of
    /// the schema's own lists count instead of pages.
    pub(super) fn under_introspection(self, aliased: bool) -> Self {
        Self {
            selections: self.selections.saturating_add(1),
            aliases: self.aliases.saturating_add(u64::from(aliased)),
            fields: 1,
            depth: 1,
            levels: self.levels,
            complexity: self.selections.saturating_add(1),
            introspection: self.described.saturating_add(1),
            introspection_depth: self.depth + 1,
            ..Self::default()
        }
    }
}

impl Add for Weight {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            selections: self.selections.saturating_add(other.selections),
            aliases: self.aliases.saturating_add(other.aliases),
            fields: self.fields.saturating_add(other.fields),
            depth: self.depth.max(other.depth),
            levels: self.levels.max(other.levels),
            complexity: self.complexity.saturating_add(other.complexity),
            nodes: self.nodes.saturating_add(other.nodes),
            paged: self.paged || other.paged,
            described: self.described.saturating_add(other.described),
            introspection: self.introspection.saturating_add(other.introspection),
            introspection_depth: self.introspection_depth.max(other.introspection_depth),
        }
    }
}

/// The fields in which our connections and batches hold their items.
fn is_page_items(name: &str) -> bool {
    matches!(name, "edges" | "nodes" | "changes")
}

/// The lengths of the lists that describe a schema, rounded up for one of a hundred types.
fn assumed_size(name: &str) -> u64 {
    match name {
        "types" => 100,
        "fields" => 15,
        "directives" => 10,
        "inputFields" | "enumValues" | "possibleTypes" => 5,
        "args" => 3,
        "interfaces" => 2,
        _ => 1,
    }
}
