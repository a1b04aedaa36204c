/// One setting in which a client meets a provider's quota.
enum QuotaCase: String, CaseIterable, Sendable {
    case right = "limits known"
    case tooHigh = "configured twice too high"
    case tooLow = "configured half too low"
    case unknown = "limits not configured"
    case shared = "another client takes 30 %"
    case lie = "one answer lies"
    case processes = "two processes, one key"
    case windows = "fixed windows, limits known"
    case windowsUnknown = "fixed windows, not configured"

    var counting: MeteredProvider.Counting {
        self == .windows || self == .windowsUnknown ? .windows : .dripping
    }

    /// What is configured, as a part of the true limits; nil: nothing.
    var configured: Double? {
        switch self {
        case .unknown, .windowsUnknown: nil
        case .tooHigh: 2
        case .tooLow: 0.5
        default: 1
        }
    }

    /// How many processes use the key, each with a quota of its own.
    var processes: Int { self == .processes ? 2 : 1 }

    /// The part of the tokens that somebody else uses who asks nobody.
    var othersPart: Double { self == .shared ? 0.3 : 0 }
}
