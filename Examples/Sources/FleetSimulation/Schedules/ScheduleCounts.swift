import Spillway
import SpillwayTesting

/// What happened in schedules, in numbers that can be added up.
struct ScheduleCounts: Sendable {
    var schedules = 0
    var faults = 0
    /// Calls that a script would cancel, some of which end before.
    var cancellations = 0
    var calls = 0
    var attempts = 0
    /// Attempts that got no answer, whether a replica worked on them or turned them away.
    var wasted = 0
    /// Calls by why they ended.
    var endings: [String: Int] = [:]
    /// Refusals by gates, by reason.
    var rejections: [String: Int] = [:]

    init() {}

    /// What happened in one schedule.
    init(_ script: FaultScript, _ reports: [CallReport], _ replicas: [SimulatedFleet.Counts]) {
        schedules = 1
        faults = script.faults.count
        cancellations = (0..<ScheduleTrial.calls).count { script.cancellation(ofCall: $0) != nil }
        calls = reports.count
        attempts = reports.reduce(0) { $0 + $1.attempts.count }
        wasted = replicas.reduce(0) { $0 + $1.wasted }
        for report in reports {
            endings["\(report.ending)", default: 0] += 1
            for rejection in report.rejections { rejections["\(rejection.reason)", default: 0] += 1 }
        }
    }

    static func += (left: inout ScheduleCounts, right: ScheduleCounts) {
        left.schedules += right.schedules
        left.faults += right.faults
        left.cancellations += right.cancellations
        left.calls += right.calls
        left.attempts += right.attempts
        left.wasted += right.wasted
        left.endings.merge(right.endings, uniquingKeysWith: +)
        left.rejections.merge(right.rejections, uniquingKeysWith: +)
    }
}
