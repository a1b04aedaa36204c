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
    /// What a new answer counts for the pace of answers.
    private static let weight = 0.1
    /// A token ahead of a first token when nothing is known of any replica: of an H100 with a model of 8B, about.
    private static let assumed = 20_000.0

    /// Nanoseconds for a token ahead of a first token at any of them.
    var commonPace: Double { done > 0 ? took / done : Self.assumed }

    /// A first token has come after so long, with so many tokens ahead of it.
    mutating func learn(_ time: Duration, _ ahead: Int, of place: Int) {
        // Sums, so that long ones tell more: of the time of a short one most is not that of its tokens. A clock that went back
        // says nothing.
        let took = Double(max(0, time.clampedNanoseconds)), ahead = Double(ahead)
        replicas[place].took = replicas[place].took * Self.fade + took
        replicas[place].done = replicas[place].done * Self.fade + ahead
        let fade = 1 - (1 - Self.fade) / Double(replicas.count)
        self.took = self.took * fade + took
        done = done * fade + ahead
        setPace(of: place)
        // What is known of one that gets no calls fades too, or one that was slow once would get none for ever.
        learnt += 1
        guard learnt % (8 * replicas.count) == 0 else { return }
        for place in replicas.indices where replicas[place].done > 0 {
            replicas[place].took *= Self.fade
            replicas[place].done *= Self.fade
            setPace(of: place)
        }
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
        let pace = Double(max(0, time.clampedNanoseconds)) / Double(tokens), before = replicas[place].tokenPace
        replicas[place].tokenPace = before == 0 ? pace : before + Self.weight * (pace - before)
    }
}
