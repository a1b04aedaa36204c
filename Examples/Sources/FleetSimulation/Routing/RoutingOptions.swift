import ArgumentParser
import Spillway

/// What the fleet of the routing scenario is like, and what is asked of it.
struct RoutingOptions: ParsableArguments {
    @Option(help: "The recorded load: lines of JSON as Mooncake's traces, or CSV as Azure's.")
    var trace = "Examples/Data/azure-conversation.csv"
    @Option(help: "Engines in the fleet.")
    var replicas = 8
    @Option(help: "What is asked for, as a share of what the fleet can serve under round robin.")
    var load = 0.9
    @Option(help: "Clients that choose by themselves, each from what it has seen.")
    var clients = 1
    @Option(help: "Seconds between two reports of an engine's load.")
    var staleness = 0.2
    @Option(help: "Rules separated by commas, or all: \(FleetRule.names).")
    var policy = "all"

    var settings: RoutingSettings {
        RoutingSettings(replicas: replicas, load: load, clients: clients, staleness: staleness)
    }

    /// The rules that are compared, each once.
    func rules() throws -> [FleetRule] {
        if policy == "all" { return FleetRule.allCases }
        let names = policy.split(separator: ",", omittingEmptySubsequences: false)
        return try names.reduce(into: []) { rules, name in
            guard let rule = FleetRule.allCases.first(where: { $0.label == name }) else {
                throw ValidationError("--policy is \(name), but must be all or of \(FleetRule.names)")
            }
            if !rules.contains(rule) { rules.append(rule) }
        }
    }

    func validate() throws {
        try Check.that((1...256).contains(replicas), "--replicas", replicas, "from 1 to 256")
        try Check.that((0.05...3).contains(load), "--load", load, "from 0.05 to 3")
        try Check.that((1...64).contains(clients), "--clients", clients, "from 1 to 64")
        try Check.that((0.001...60).contains(staleness), "--staleness", staleness, "from 0.001 to 60")
        _ = try rules()
    }
}

extension FleetRule {
    /// What results call it: the default is this package's.
    var label: String { self == .predicted ? "spillway" : rawValue }

    static var names: String { allCases.map(\.label).joined(separator: ", ") }
}
