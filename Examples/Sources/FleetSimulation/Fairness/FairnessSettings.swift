import Spillway
import SpillwayTesting

/// The fleet, and who asks it for what.
struct FairnessSettings: Sendable {
    /// One tenant.
    struct Tenant: Sendable {
        let name: String
        /// How much of an even share of the fleet it asks for.
        let demand: Double
        let prompt: ClosedRange<Int>
        let output: ClosedRange<Int>
    }

    var replicas = 2
    /// Calls that the fleet takes at once.
    var limit = 32
    /// Seconds of each run; those who come in the first are not looked at.
    var seconds = 600
    var warmUp = 60
    /// How long a call may wait.
    var patience = Duration.seconds(10)
    var tenants: [Tenant]

    /// One tenant asks for ten times its share, nine for half of theirs; their calls are alike.
    static let greedy = FairnessSettings(
        tenants: (0..<10).map { number in
            Tenant(
                name: number == 0 ? "greedy" : "modest", demand: number == 0 ? 10 : 0.5, prompt: 200...1_400,
                output: 50...250)
        })

    /// All ask for three times their share, half of them with long prompts, half with short ones.
    static let mixed = FairnessSettings(
        tenants: (0..<10).map { number in
            number < 5
                ? Tenant(name: "long", demand: 3, prompt: 5_000...7_000, output: 100...200)
                : Tenant(name: "short", demand: 3, prompt: 100...300, output: 100...200)
        })

    /// What each replica is: a small memory, so that long prompts fill it.
    var engine: EngineModel.Configuration {
        get throws {
            try EngineModel.Configuration(
                kvBlocks: 3_200, maxRunning: 64, tokensPerChunk: 256, stepOverhead: .milliseconds(2),
                sequenceOverhead: .microseconds(20), computeTime: .microseconds(40), weightsReadTime: .milliseconds(8))
        }
    }

    /// KV blocks of all replicas.
    var blocks: Double { 3_200 * Double(replicas) }
}

/// How calls wait their turn.
enum FairnessPolicy: String, Sendable, CaseIterable {
    case none, fifo, buckets, fair, dominant

    var name: String {
        switch self {
        case .none: "no queue"
        case .fifo: "one line"
        case .buckets: "bucket per tenant"
        case .fair: "FairQueue, calls"
        case .dominant: "FairQueue, dominant"
        }
    }

    /// The policy before a fleet that answers so many calls a second.
    func policy(
        _ settings: FairnessSettings, capacity: Double, _ time: ManualTime
    ) throws -> (policy: Policy, queue: FairQueue?) {
        let limit = try ConcurrencyLimit("limit", .init(.fixed(settings.limit)))
        let queue: FairQueue? =
            switch self {
            case .none, .buckets: nil
            case .fifo, .fair:
                try FairQueue("queue", .init(capacity: 200, longest: settings.patience))
            case .dominant:
                try FairQueue(
                    "queue",
                    .init(capacity: 200, longest: settings.patience) {
                        $0.resources = [.calls(Double(settings.limit)), .cacheBlocks(settings.blocks)]
                    })
            }
        let share = capacity / Double(settings.tenants.count)
        let buckets = try KeyedTokenBucket(
            "share", .init(rate: .perSecond(share), burst: UInt32(max(1, 5 * share)), keys: 100))
        let policy = try Policy("fleet", time: time) { () throws(ConfigurationError) in
            if let queue { queue }
            if self == .buckets { Gates(buckets) }
            Gates(limit)
        }
        return (policy, queue)
    }
}
