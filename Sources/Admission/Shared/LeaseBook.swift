internal import SpillwayCore

/// The rules of a store for one limit, as a plain value: what ``LeaseStore`` promises, and what the script of `SpillwayValkey`
/// does in the server.
///
/// Times are microseconds of the store's own clock, which may be any.
package struct LeaseBook {
    private struct Holder {
        var number: Int64
        var reply: LeaseReply
        var spent: Int64 = 0
        var held: Int64 = 0
        var expires: Int64 = 0
    }

    private var era = ""
    private var holders: [UInt64: Holder] = [:]
    /// Of a rate: what is in the bucket, and when that was so.
    private var level = 0.0
    private var levelAt = Int64.min
    /// Of an amount: the present window, what all have spent and hold in it, and what they have spent.
    private var window = Int64.min
    private var total: Int64 = 0
    private var spentByAll: Int64 = 0
    /// From when on nobody misses it.
    private(set) var expires = Int64.min
    /// So many holders make it look for those that are gone.
    private var mostHolders = 64

    package init() {}

    /// How many holders it remembers.
    package var count: Int { holders.count }

    /// Serves a request.
    ///
    /// - Parameters:
    ///   - request: What the holder says and wants.
    ///   - now: Microseconds.
    ///   - era: Names the store's present memory.
    ///   - up: Microseconds since the store was started.
    package mutating func exchange(_ request: LeaseRequest, at now: Int64, era: String, up: Int64) -> LeaseReply {
        switch request.limit {
        case .rate(let rate, let burst):
            takeRate(request, rate.units / Double(rate.span.microseconds), Double(burst), at: now, era)
        case .amount(let amount, let span):
            takeAmount(request, amount, span.microseconds, at: now, era, up)
        }
    }

    private func known(_ request: LeaseRequest) -> LeaseReply? {
        guard let holder = holders[request.holder], holder.number >= request.number else { return nil }
        if holder.number == request.number { return holder.reply }
        var reply = holder.reply
        reply.granted = 0
        reply.isStale = true
        return reply
    }

    /// Half of what is left at most, so that whoever asks next finds some too; but what one call needs, if it is there.
    private static func share(_ request: LeaseRequest, of left: Int64) -> Int64 {
        left <= 0 ? 0 : max(min(request.want, (left + 1) / 2), min(request.need, left))
    }

    private mutating func takeRate(
        _ request: LeaseRequest, _ perMicrosecond: Double, _ burst: Double, at now: Int64, _ era: String
    ) -> LeaseReply {
        if era != self.era {
            // What is missing in a memory that is older, or not there, cannot have been spent out of an empty bucket.
            level = min(level, 0)
            levelAt = now
            self.era = era
        }
        if now > levelAt {
            level = min(burst, level + Double(now - levelAt) * perMicrosecond)
            levelAt = now
        }
        if let reply = known(request) { return reply }
        if request.era == era {
            level = min(burst, level + Double(request.returned))
            level = max(-burst, level - Double(request.unleased))
        }
        let left = Int64(level.rounded(.down)), granted = Self.share(request, of: left)
        level -= Double(granted)
        let lacking = Double(request.need) - level
        let wait = granted < request.need ? Int64((max(0, lacking) / perMicrosecond).rounded(.up)) : 0
        let reply = LeaseReply(granted: granted, left: left - granted, wait: .microseconds(wait), era: era)
        // As long as the server keeps it: a request that comes once more later than this is a new one.
        let expires = now + 4 * request.life.microseconds + 60_000_000
        holders[request.holder] = Holder(number: request.number, reply: reply, expires: expires)
        self.expires = max(expires, now + Int64(max(86_400e6, min(2 * burst / perMicrosecond, 1e17))))
        if holders.count >= mostHolders {
            holders = holders.filter { $0.value.expires > now }
            mostHolders = max(64, 2 * holders.count)
        }
        return reply
    }

    private mutating func takeAmount(
        _ request: LeaseRequest, _ amount: Int64, _ span: Int64, at now: Int64, _ era: String, _ up: Int64
    ) -> LeaseReply {
        self.era = era
        let present = now / span
        if present > window {
            window = present
            holders = [:]
            (total, spentByAll) = (0, 0)
        }
        for (id, holder) in holders where holder.expires <= now && holder.held > 0 {
            total &-= holder.held
            holders[id]?.held = 0
        }
        if let reply = known(request) { return reply }
        let old = holders[request.holder]
        let isPresent = request.window == window, isLeased = isPresent && (old?.expires ?? .min) > now
        let spent = isPresent ? request.spent : old?.spent ?? 0, held = isLeased ? max(0, request.held) : 0
        spentByAll = spentByAll &+ spent &- (old?.spent ?? 0)
        total = total &+ spent &+ held &- (old?.spent ?? 0) &- (old?.held ?? 0)
        let life = request.life.microseconds
        // Not before all holders have had the time to say what they have spent.
        let wait = max(0, life - up), left = wait > 0 ? 0 : amount &- total
        let granted = Self.share(request, of: left)
        total &+= granted
        expires = (window + 1) * span + 3_600_000_000
        let reply = LeaseReply(
            granted: granted, left: max(0, left - granted), unspent: max(0, amount &- spentByAll),
            wait: .microseconds(wait), era: era, window: window,
            windowEndsIn: .microseconds(max(0, (window + 1) * span - now)), isLapsed: !isLeased)
        holders[request.holder] = Holder(
            number: request.number, reply: reply, spent: spent, held: held &+ granted, expires: now + life)
        return reply
    }
}

extension Duration {
    /// Whole microseconds.
    package var microseconds: Int64 { clampedNanoseconds / 1_000 }
}
