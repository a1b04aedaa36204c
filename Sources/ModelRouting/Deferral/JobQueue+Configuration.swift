public import SpillwayCore

extension JobQueue {
    /// How jobs are kept and tried.
    public struct Configuration: Sendable, Hashable {
        /// How long a worker has a job without a sign of life, from 10 ms to 1 day; 60 s by default.
        ///
        /// Workers renew it at a third of it. The job of a process that died is taken again after it; that another process
        /// cancelled a job is noticed after a third of it.
        public var lease: Duration = .seconds(60)
        /// How long a job may wait, unless it says so itself, from 1 ms to 1 year; a day by default.
        public var expires: Duration = .seconds(86_400)
        /// How many runs a job may have, 1 to 1,000; 5 by default.
        ///
        /// Runs that a worker gave back, and those that a gate of the caller's own refused (`Outcome.Cause.rejected`), do not
        /// count; those whose worker died do.
        public var attempts = 5
        /// How long a run may take, from 1 ms to 30 days; an hour by default.
        ///
        /// Then its task is cancelled, and it has failed for `Outcome.Cause.timeout`.
        public var longestRun: Duration = .seconds(3_600)
        /// The pause after the first run that failed, from 0 to 1 day; 1 s by default.
        ///
        /// It doubles with each, and is drawn from its upper half. A longer one that the target asked for is kept.
        public var firstPause: Duration = .seconds(1)
        /// The longest pause, from ``firstPause`` to 1 day; 5 minutes by default.
        public var longestPause: Duration = .seconds(300)
        /// Causes that would be the same the next time: the job has failed at once; ``hopelessCauses`` by default.
        public var hopeless: Outcome.Causes = JobQueue.hopelessCauses
        /// How long a job is kept after its end, from 1 ms to 1 year; a day by default.
        public var keeps: Duration = .seconds(86_400)
        /// How many jobs may wait or run, 1 to 1,000,000; 10,000 by default.
        public var mostOpen = 10_000
        /// How many jobs that have ended are kept, 1 to 10,000,000; 100,000 by default.
        public var mostEnded = 100_000
        /// How many bytes a payload may have, 0 to 256 MiB; 1 MiB by default.
        public var mostPayload = 1 << 20
        /// How many bytes a result may have, 0 to 256 MiB; 16 MiB by default.
        ///
        /// A run with a larger one has failed, for good.
        public var mostResult = 16 << 20
        /// How often a worker looks whether it may work, and what other processes have done; from 1 ms to 1 hour; 1 s by default.
        public var interval: Duration = .seconds(1)

        /// A configuration.
        public init(
            lease: Duration = .seconds(60), expires: Duration = .seconds(86_400), attempts: Int = 5,
            keeps: Duration = .seconds(86_400), mostOpen: Int = 10_000
        ) {
            self.lease = lease
            self.expires = expires
            self.attempts = attempts
            self.keeps = keeps
            self.mostOpen = mostOpen
        }

        func validate() throws(ConfigurationError) {
            let check = Validation("JobQueue"), day = Duration.seconds(86_400), year = Duration.seconds(31_557_600)
            func duration(
                _ value: Duration, _ field: String, _ range: ClosedRange<Duration>
            ) throws(ConfigurationError) {
                try check.require(
                    range.contains(value), field, value, "from \(range.lowerBound) to \(range.upperBound)")
            }
            try duration(lease, "lease", .milliseconds(10)...day)
            try duration(expires, "expires", .milliseconds(1)...year)
            try check.count(attempts, "attempts", in: 1...1_000)
            try duration(longestRun, "longestRun", .milliseconds(1)...day * 30)
            try duration(firstPause, "firstPause", .zero...day)
            try check.require(
                (firstPause...max(day, firstPause)).contains(longestPause), "longestPause", longestPause,
                "from firstPause to \(day)")
            try duration(keeps, "keeps", .milliseconds(1)...year)
            try check.count(mostOpen, "mostOpen", in: 1...1_000_000)
            try check.count(mostEnded, "mostEnded", in: 1...10_000_000)
            try check.count(mostPayload, "mostPayload", in: 0...256 << 20)
            try check.count(mostResult, "mostResult", in: 0...256 << 20)
            try duration(interval, "interval", .milliseconds(1) ... .seconds(3_600))
        }

        var bounds: JobBounds { JobBounds(open: mostOpen, ended: mostEnded) }

        /// Nanoseconds to wait after run number `run` failed, and as long as the target asked for.
        func pause(afterRun run: Int, hint: Duration?, _ random: RandomSource) -> Int64 {
            let first = firstPause.clampedNanoseconds, longest = longestPause.clampedNanoseconds,
                growths = max(0, run - 1)
            let most = growths < first.leadingZeroBitCount - 1 ? min(longest, first << Int64(growths)) : longest
            let drawn = most - Int64(random.next(through: UInt64(most / 2)))
            return max(drawn, hint?.clampedNanoseconds ?? 0)
        }
    }

    /// Causes that would be the same the next time: the request is wrong, its prompt too long or its content refused, or the
    /// key is not accepted.
    public static let hopelessCauses: Outcome.Causes = [
        .invalidRequest, .contextTooLong, .contentFiltered, .authentication,
    ]
}
