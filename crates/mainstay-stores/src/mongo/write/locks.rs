//! Where writers of both ends of a reference meet.
//!
//! A transaction reads a snapshot, and two transactions conflict only where they write the same document. One that adds a
//! child reads its parent; one that removes the parent reads that there is no child: neither would notice the other. So
//! both also write to a document of their own making, which stands for the parent. Those who add children, and are many,
//! each take another one of [`STRIPES`] of them, so that they do not meet one another; whoever removes the parent takes
//! all. (`docs/decisions/0040-references-in-mongodb.md`)

use std::collections::BTreeSet;
use std::hash::Hasher;
use std::sync::atomic::{AtomicU32, Ordering};

use mainstay_schema::Table;
use mongodb::bson::{Document, doc};

use super::work::Work;
use crate::mongo::errors;
use crate::mongo::ours::LOCKS;
use crate::server::WriteFault;

/// Keys that are told apart: others share a place. More, and whoever removes many rows writes to many documents.
const PLACES: u64 = 64;
/// Writers that may add children of one parent at the same time without meeting one another.
const STRIPES: u32 = 16;

/// What a transaction has locked.
#[derive(Debug, Default)]
pub(super) struct Locks {
    shared: BTreeSet<u64>,
    whole: BTreeSet<u64>,
}

/// The place of a key of a table: the same in every process and version.
pub(super) fn place(table: &Table, key: &[String]) -> u64 {
    // FNV-1a, which is written down here and so cannot change beneath us.
    let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
    for text in std::iter::once(&*table.name).chain(key.iter().map(String::as_str)) {
        hash.write(text.as_bytes());
        hash.write(&[0]);
    }
    hash.finish() % PLACES
}

struct Fnv(u64);

impl Hasher for Fnv {
    fn write(&mut self, octets: &[u8]) {
        for octet in octets {
            self.0 = (self.0 ^ u64::from(*octet)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn finish(&self) -> u64 {
        // The last bits alone are poor.
        self.0 ^ (self.0 >> 32)
    }
}

impl Work<'_> {
    /// Sees to it that what stands at these places stays until the transaction ends.
    pub(super) async fn share(&mut self, places: BTreeSet<u64>) -> Result<(), WriteFault> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let locks = &self.locks;
        let new: Vec<u64> =
            places.into_iter().filter(|place| !locks.shared.contains(place) && !locks.whole.contains(place)).collect();
        if new.is_empty() {
            return Ok(());
        }
        // One after the other, so that those who come one after the other do not meet.
        let stripe = NEXT.fetch_add(1, Ordering::Relaxed) % STRIPES;
        self.touch(new.iter().map(|place| name(*place, stripe))).await?;
        self.locks.shared.extend(new);
        Ok(())
    }

    /// Sees to it that nobody relies on what stands at these places until the transaction ends.
    pub(super) async fn claim(&mut self, places: BTreeSet<u64>) -> Result<(), WriteFault> {
        let new: Vec<u64> = places.into_iter().filter(|place| !self.locks.whole.contains(place)).collect();
        if new.is_empty() {
            return Ok(());
        }
        let all = new.iter().flat_map(|place| (0..STRIPES).map(move |stripe| name(*place, stripe)));
        self.touch(all).await?;
        self.locks.whole.extend(new);
        Ok(())
    }

    async fn touch(&mut self, names: impl Iterator<Item = String>) -> Result<(), WriteFault> {
        let one = |name: String| doc! { "q": { "_id": name }, "u": { "$inc": { "n": 1_i64 } }, "upsert": true };
        let updates: Vec<Document> = names.map(one).collect();
        let reply = self.command(doc! { "update": LOCKS, "updates": updates }).await?;
        match super::faults::Refusal::first(&reply) {
            None => Ok(()),
            // Another transaction made it since the snapshot was taken.
            Some(refusal) if refusal.is_duplicate() => Err(WriteFault::Again(errors::conflict())),
            Some(refusal) => Err(refusal.told().into()),
        }
    }
}

fn name(place: u64, stripe: u32) -> String {
    format!("{place}/{stripe}")
}
