/// The replicas and zones of a fleet as they fail and recover.
struct ReplicaStates {
    enum State {
        case healthy, bad, drained
    }

    private let settings: RedundancySettings
    private var replicas: [(state: State, since: Int)]
    private var zoneIsUp: [Bool]
    var chance: MersenneTwister

    init(_ settings: RedundancySettings, count: Int, seed: UInt64) {
        self.settings = settings
        replicas = Array(repeating: (.healthy, 0), count: count)
        zoneIsUp = Array(repeating: true, count: settings.zones)
        chance = MersenneTwister(seed: seed)
    }

    /// Lets replicas fail, recover and be found out, then zones fail and come back.
    mutating func advance(to tick: Int) {
        for i in replicas.indices {
            switch replicas[i].state {
            case .healthy: if chance.unit() < settings.failure { replicas[i] = (.bad, tick) }
            case .drained: if chance.unit() < settings.recovery { replicas[i].state = .healthy }
            case .bad: break
            }
        }
        for i in replicas.indices where replicas[i].state == .bad && tick - replicas[i].since >= settings.lag {
            replicas[i].state = .drained
        }
        guard settings.zoneFailure > 0 else { return }
        for zone in zoneIsUp.indices {
            let change = zoneIsUp[zone] ? settings.zoneFailure : settings.zoneRecovery
            if chance.unit() < change { zoneIsUp[zone].toggle() }
        }
    }

    /// How many replicas are in a state and in a zone that is up; replica i is in zone i modulo the number of zones.
    func serving(_ state: State) -> Int {
        replicas.indices.count { replicas[$0].state == state && zoneIsUp[$0 % settings.zones] }
    }
}
