#if canImport(Darwin)
import Darwin
#elseif canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#endif

/// Whether a seed is replayed: tests that expect another seed to fail are left out then.
let isReplaying = getenv("SPILLWAY_SEED") != nil
