//! What a filter means, defined once: the memory store, residual filters and live updates all use it, and stores
//! whose own language lacks a test call the functions here.
