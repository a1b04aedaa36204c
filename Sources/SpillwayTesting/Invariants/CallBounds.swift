internal import SpillwayCore

/// The most attempts that the calls of some policies may make together.
struct AttemptBound: Sendable {
    let ratio: Double
    let burst: Int
    let minimumPerSecond: Double
    let policies: Set<String>?

    /// Extra attempts are compared with what the budget can have held.
    ///
    /// A budget begins with its burst, grows by `ratio` with each call and by at most `minimumPerSecond` with time, and
    /// loses one with each extra attempt; one that is paid back was not made. It is never negative. So at every instant
    /// extra attempts ≤ burst + ratio × calls so far + minimumPerSecond × seconds so far. A later span alone obeys no
    /// such bound: it may spend what earlier calls have saved.
    func violation(in reports: [CallReport], timeMayGoBack: Bool) -> Violation? {
        let reports = reports.filter { policies?.contains($0.policy) ?? true }
        let calls = reports.map(\.started).sorted()
        let extra = reports.flatMap { $0.attempts.dropFirst().map(\.started) }.sorted()
        guard let first = calls.first else { return nil }
        var begun = 0
        for (index, instant) in extra.enumerated() {
            if timeMayGoBack {
                // Instants do not tell the order: only the whole can be judged.
                guard index == extra.count - 1 else { continue }
                begun = calls.count
            } else {
                while begun < calls.count, calls[begun] <= instant { begun += 1 }
            }
            let elapsed = max(instant, timeMayGoBack ? calls[begun - 1] : instant)
            let seconds = Double(first.duration(to: elapsed).clampedNanoseconds) / 1e9
            let allowed = Double(burst) + ratio * Double(begun) + minimumPerSecond * max(0, seconds)
            // The sums are rounded; the tolerance is far below one attempt.
            guard Double(index + 1) > allowed + 1e-6 else { continue }
            return Violation(
                .attempts, "\(index + 1) extra attempts by \(instant) for \(begun) calls, at most \(allowed) allowed")
        }
        return nil
    }
}

/// The longest that the calls of some policies may take.
struct TimeBound: Sendable {
    let deadline: Duration
    let grace: Duration
    let policies: Set<String>?

    func violations(in reports: [CallReport]) -> [Violation] {
        reports.filter { policies?.contains($0.policy) ?? true }.compactMap { report in
            let taken = report.started.duration(to: report.ended)
            guard taken > deadline + grace else { return nil }
            return Violation(
                .deadline,
                "\(report.policy): a call begun at \(report.started) took \(taken), at most \(deadline) + \(grace)")
        }
    }
}
