import Foundation
import Spillway

/// Makes the calls of one seed, one after the other in the order in which they end.
struct CanaryCalls {
    /// A call that has ended.
    struct Ended {
        let arm: Rollout.Arm
        let sample: Rollout.Sample
        /// Nanoseconds.
        let at: Int64
    }

    private let traffic: CanaryTraffic
    private let random: RandomSource
    private var spare: Double?
    private var now = 0.0
    /// Until when the burst, or the pause between two, lasts.
    private var phaseEnds = 0.0
    private var load = 1.0
    /// Calls under way, the one that ends first on top: a binary heap.
    private var underWay: [Ended] = []
    private var canaries = 0
    private let tenants: [Double]

    init(_ traffic: CanaryTraffic, seed: UInt64) {
        self.traffic = traffic
        random = .seeded(seed)
        var tenants: [Double] = []
        var spare: Double?
        for _ in 0..<traffic.tenants {
            tenants.append(exp(traffic.tenantSpread * Self.normal(random, &spare)))
        }
        self.tenants = tenants
    }

    /// The next call that ends.
    mutating func next(_ rollout: Rollout) -> Ended {
        // Always as many under way, so that a slow call is overtaken by others.
        while underWay.count < 32 { push(begin(rollout)) }
        return pop()
    }

    private mutating func begin(_ rollout: Rollout) -> Ended {
        now += -log(1 - random.uniform()) / (20 * load)
        if traffic.bursts, now > phaseEnds {
            load = load == 1 ? 2 + 6 * random.uniform() : 1
            phaseEnds = now + -log(1 - random.uniform()) * (load == 1 ? 60 : 15)
        }
        let tenant = tenants.isEmpty ? nil : random.upTo(tenants.count - 1)
        let arm = tenant.map { rollout.arm(for: "tenant \($0)") } ?? rollout.arm()
        if arm.isCanary { canaries += 1 }
        let isWorse = arm.isCanary && canaries > traffic.after
        var first = 0.4 * load * exp(traffic.spread * normal()) * (tenant.map { tenants[$0] } ?? 1)
        if isWorse {
            first *= traffic.slower
            if traffic.hanging > 0, random.uniform() < traffic.hanging { first *= 10 }
        }
        let cost = 1e6 * exp(traffic.spread * normal()) * (isWorse ? traffic.dearer : 1)
        let quality = min(max(0.75 + 0.15 * normal() - (isWorse ? traffic.worse : 0), 0), 1)
        let failed = random.uniform() < (isWorse ? traffic.failing.new : traffic.failing.old)
        let ends = now + first + 2 * random.uniform()
        return Ended(
            arm: arm,
            sample: failed
                ? .init(.failure(.serverError))
                : .init(.success, firstContent: .nanoseconds(Int64(first * 1e9)), cost: Int64(cost), quality: quality),
            at: Int64(ends * 1e9))
    }

    private mutating func normal() -> Double { Self.normal(random, &spare) }

    /// Normally distributed, two at a time (Box and Muller).
    private static func normal(_ random: RandomSource, _ spare: inout Double?) -> Double {
        if let last = spare.take() { return last }
        let (radius, angle) = ((-2 * log(1 - random.uniform())).squareRoot(), 2 * Double.pi * random.uniform())
        spare = radius * sin(angle)
        return radius * cos(angle)
    }

    private mutating func push(_ call: Ended) {
        underWay.append(call)
        var place = underWay.count - 1
        while place > 0, underWay[place].at < underWay[(place - 1) / 2].at {
            underWay.swapAt(place, (place - 1) / 2)
            place = (place - 1) / 2
        }
    }

    private mutating func pop() -> Ended {
        underWay.swapAt(0, underWay.count - 1)
        let first = underWay.removeLast()
        var place = 0
        while true {
            var least = place
            for child in [2 * place + 1, 2 * place + 2]
            where child < underWay.count && underWay[child].at < underWay[least].at {
                least = child
            }
            if least == place { return first }
            underWay.swapAt(place, least)
            place = least
        }
    }
}
