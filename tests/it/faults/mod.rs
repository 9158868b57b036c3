//! What breaks, and what must survive it. The real binary, because what is killed has to be real.

mod cut;
mod devices;
mod kill;
mod postgres;
mod redis;
mod shutdown;
