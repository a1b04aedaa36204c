internal import SpillwayCore

/// How fast replicas are, as own calls show.
extension FleetState.Books {
    /// By what share what was learnt of a replica fades with each call.
    private static let fade = 0.99
    /// Tokens of so many calls are taken to have gone as fast as with the others, until it has shown otherwise.
    private static let prior = 10.0
    /// How many times as fast or slow as the others a replica must seem before it is taken for another than they are.
    ///
    /// What calls show of like replicas differs by their prompts and their neighbours: to go by it costs more than it tells.
    private static let slack = 1.5
    /// How many times as long as expected a first token counts for at most: the first of an engine that warms up takes seconds.
    private static let surprise = 5.0
    /// How many times as long as with the others it counts for at most: slower is as good as not there.
    private static let slowest = 20.0
    /// What is left of it after a second: half after 10.
    private static let second = 0.933
    /// What a new answer counts for the pace of answers.
    private static let weight = 0.1
    /// A token ahead of a first token when nothing is known of any replica: of an H100 with a model of 8B, about.
    private static let assumed = 20_000.0

    /// Nanoseconds for a token ahead of a first token at any of them.
    var commonPace: Double { done > 0 ? took / done : Self.assumed }

    /// A first token has come after so long, with so many tokens ahead of it.
    mutating func learn(
        _ time: Duration, _ ahead: Int, of place: Int, at now: Instant, isOfAll: Bool = true
    ) {
        forget(at: now)
        // Sums, so that long ones tell more: of the time of a short one most is not that of its tokens. A clock that went back
        // says nothing.
        let ahead = Double(ahead), common = max(1, commonPace)
        let most = min(Self.surprise * replicas[place].pace(or: common), Self.slowest * common) * ahead
        let took = min(Double(max(0, time.clampedNanoseconds)), most)
        replicas[place].took = replicas[place].took * Self.fade + took
        replicas[place].done = replicas[place].done * Self.fade + ahead
        if isOfAll {
            let fade = 1 - (1 - Self.fade) / Double(replicas.count)
            self.took = self.took * fade + took
            done = done * fade + ahead
        }
        setPace(of: place)
    }

    /// A call has ended after so long without a first token, with so many tokens ahead of it: it takes longer than that.
    ///
    /// It says nothing of the others: what all are thought to take fades with calls alone.
    mutating func learnSilence(_ time: Duration, _ ahead: Int, of place: Int, at now: Instant) {
        guard done > 0, Double(time.clampedNanoseconds) > Double(ahead) * replicas[place].pace(or: commonPace) else {
            return
        }
        learn(time, ahead, of: place, at: now, isOfAll: false)
    }

    /// Lets what is known of each replica fade with time, or one that was slow once would get no call that shows otherwise.
    private mutating func forget(at now: Instant) {
        let seconds = min(100, now.nanoseconds.since(pacedAt.nanoseconds) / 1_000_000_000)
        guard seconds > 0 else { return }
        pacedAt = seconds < 100 ? pacedAt.advanced(by: .seconds(seconds)) : now
        let rest = (0..<seconds).reduce(1) { rest, _ in rest * Self.second }
        for place in replicas.indices where replicas[place].done > 0 {
            let isKnown = replicas[place].done * rest >= 1
            replicas[place].took = isKnown ? replicas[place].took * rest : 0
            replicas[place].done = isKnown ? replicas[place].done * rest : 0
            setPace(of: place)
        }
    }

    /// An answer of so many tokens has come as a whole, after so long, with so many tokens ahead of its first.
    ///
    /// The time to its first token is what the others leave, if anybody has seen how long they take.
    mutating func learnWhole(_ time: Duration, _ answer: Int, _ ahead: Int, of place: Int, at now: Instant) {
        let pace = replicas[place].tokenPace > 0 ? replicas[place].tokenPace : tokenPace
        let others = Double(max(0, answer - 1)) * pace, first = Double(time.clampedNanoseconds) - others
        if pace > 0, answer > 0 {
            let share = max(0.01, first / max(1, Double(time.clampedNanoseconds)))
            firstShare += Self.weight * (share - firstShare)
        }
        // Where they take most of it, or nobody says how many there are, the rest is guesswork.
        guard pace == 0 || answer > 0 && first >= others else { return }
        if pace == 0 { hasLearntWholes = true }
        learn(.nanoseconds(Int64(max(0, first))), ahead, of: place, at: now)
    }

    private mutating func setPace(of place: Int) {
        let prior = Self.prior * meanTokens
        let common = commonPace
        let ratio = (replicas[place].took + prior * common) / (max(1, replicas[place].done + prior) * max(1, common))
        let seen = ratio > Self.slack ? ratio / Self.slack : ratio < 1 / Self.slack ? ratio * Self.slack : 1
        replicas[place].pace = max(1, common) * seen
    }

    /// An answer of so many tokens after its first took so long.
    mutating func learnAnswer(_ time: Duration, _ tokens: Int, of place: Int) {
        let pace = Double(max(0, time.clampedNanoseconds)) / Double(tokens)
        func mean(_ before: Double) -> Double { before == 0 ? pace : before + Self.weight * (pace - before) }
        replicas[place].tokenPace = mean(replicas[place].tokenPace)
        // Until now nobody could tell the time of their other tokens apart.
        if hasLearntWholes { forgetPaces() }
        tokenPace = mean(tokenPace)
    }

    private mutating func forgetPaces() {
        hasLearntWholes = false
        (took, done) = (0, 0)
        for place in replicas.indices {
            (replicas[place].took, replicas[place].done, replicas[place].pace) = (0, 0, 0)
        }
    }
}
