//! What a store does exactly, and what is left for us.
