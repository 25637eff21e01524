//! `[stores.main.access]`.

use mainstay_schema::{Access, Rule};

use super::Kind;

section! {
    /// What the publishable key may do with every table of a store with `introspect`, and with its functions; a table may
    /// say otherwise for itself in a schema file.
    AccessSettings in "stores.main.access" {
        /// Read rows.
        read: bool = Kind::Flag, default "false";
        /// Insert rows.
        create: bool = Kind::Flag, default "false";
        /// Change rows.
        update: bool = Kind::Flag, default "false";
        /// Delete rows.
        delete: bool = Kind::Flag, default "false";
        /// Call the functions and procedures that the database holds.
        call: bool = Kind::Flag, default "false";
    }
}

impl AccessSettings {
    /// The rule for functions that the database holds.
    pub fn call_rule(&self) -> Rule {
        if self.call { Rule::Always } else { Rule::Never }
    }

    /// The rules that these settings stand for.
    pub fn rules(&self) -> Access {
        let rule = |allowed| if allowed { Rule::Always } else { Rule::Never };
        Access {
            read: rule(self.read),
            create: rule(self.create),
            update: rule(self.update),
            delete: rule(self.delete),
        }
    }
}
