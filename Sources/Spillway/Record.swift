internal import SpillwayCore

/// What happened in one call, for its report.
///
/// Used by one task at a time.
final class Record: @unchecked Sendable {
    var attempts: [CallReport.AttemptRecord] = []
    var rejections: [Rejection] = []
    var ending = Reason.completed
}
