private import CSpillway

/// The wall clock, for windows that end at midnight.
enum WallClock {
    /// Nanoseconds since 1970 when the machine's monotonic clock was at zero, as both go now.
    static var epoch: Int64 { spw_wall() &- spw_now() }
}
