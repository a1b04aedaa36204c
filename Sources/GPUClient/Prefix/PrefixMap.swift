/// Which replica has computed which beginnings of prompts: a prediction, made when a call is sent there.
///
/// A replica forgets what it used least recently, as the engine does (vLLM's automatic prefix caching): the ends of prompts before
/// their beginnings.
struct PrefixMap: Sendable {
    private var holders = HolderTable()
    private var recency: [Recency]

    init(replicas: Int) { recency = (0..<replicas).map { _ in Recency() } }

    /// Hashes that a replica is thought to hold.
    func count(at place: Int) -> Int { recency[place].count }
    /// Different hashes that are known.
    var count: Int { holders.count }

    /// How many of the leading hashes each replica holds: `matched` is called for replicas that hold at least one.
    ///
    /// Who holds a hash holds those before it, so the ends are searched for by halving.
    func match(_ hashes: [UInt64], matched: (Int, Int) -> Void) {
        guard let first = hashes.first else { return }
        split(hashes, from: 0, holders.holders(of: first), to: hashes.count, matched)
    }

    /// `before` hold the first `from` + 1 hashes; tells of those that do not hold as many as `to`.
    private func split(
        _ hashes: [UInt64], from: Int, _ before: ReplicaSet, to end: Int, _ matched: (Int, Int) -> Void
    ) {
        var from = from, before = before
        while !before.isEmpty {
            // The first hash that not all of them hold.
            var low = from, high = end
            var after = ReplicaSet()
            while low + 1 < high {
                let middle = (low + high) / 2
                let both = holders.holders(of: hashes[middle]).intersection(before)
                if both == before {
                    low = middle
                } else {
                    high = middle
                    after = both
                }
            }
            let rest = high == end ? ReplicaSet() : after
            before.subtracting(rest).forEach { matched($0, low + 1) }
            before = rest
            from = high
        }
    }

    /// The most hashes that are kept of one replica, whatever it is thought to keep.
    static let mostHashes = 65_536

    /// A call with this beginning, each hash of so many tokens, goes to `place`, which keeps `most` tokens.
    mutating func record(_ hashes: [UInt64], at place: Int, tokens: Int = 1, most: Int, by call: UInt32 = 0) {
        // From the end, so that the beginning is the most recently used.
        for hash in hashes.prefix(max(0, most) / max(1, tokens)).reversed()
        where recency[place].use(hash, tokens, by: call) {
            holders.insert(place, for: hash)
        }
        while recency[place].tokens > most || recency[place].count > Self.mostHashes,
            let hash = recency[place].removeOldest()
        {
            holders.remove(place, for: hash)
        }
    }

    /// `place` has not got these after all, unless another call has used them since.
    mutating func forget(_ hashes: some Sequence<UInt64>, of call: UInt32, at place: Int) {
        for hash in hashes where recency[place].remove(hash, of: call) { holders.remove(place, for: hash) }
    }

    /// `place` has lost everything.
    mutating func forgetAll(at place: Int) {
        while let hash = recency[place].removeOldest() { holders.remove(place, for: hash) }
    }

    mutating func add() { recency.append(Recency()) }
}
