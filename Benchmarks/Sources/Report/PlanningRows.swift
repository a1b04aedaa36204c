import CLimits
import GPUClient
import SpillwayCore

/// What it costs to count a call for the forecast of demand, which each call does.
func planningRows(_ limits: Limits) async throws -> [Row] {
    let demand = try DemandForecast(.init(bucket: .seconds(300), season: 288))
    let record: @Sendable (Int) -> Void = { count in
        for index in 0..<count {
            demand.record(1, at: Instant(nanoseconds: noon.nanoseconds + Int64(index) * 1_000))
        }
    }
    // The lock is taken and given back; the limits are plain memory.
    return [
        Row("forecast.record", measure(record), 2 * limits.cas, "2 cas"),
        Row("forecast.record", threads: 2, await measure(threads: 2, record), 2 * limits.cas, "2 cas"),
    ]
}
