import ArgumentParser

/// What the fleet of the redundancy scenario is like.
struct RedundancyOptions: ParsableArguments {
    @Option(help: "Replicas that must be healthy: N.")
    var needed = 8
    @Option(help: "The most spares: k.")
    var spares = 4
    @Option(help: "Ticks in a run.")
    var ticks = 20_000
    @Option(help: "The probability that a healthy replica fails in a tick.")
    var failure = 0.002
    @Option(help: "The probability that a drained replica recovers in a tick.")
    var recovery = 0.05
    @Option(help: "Ticks until the router knows of a failure.")
    var lag = 3
    @Option(help: "Requests in a tick.")
    var requests = 40
    @Option(help: "The target in percent for which the smallest k is sought.")
    var target = 99.9
    @Option(help: "The probability of failure with which it is sought.")
    var fragile = 0.01
    @Option(parsing: .upToNextOption, help: "Numbers of zones to spread over.")
    var zones = [1, 2, 3]
    @Option(help: "The probability that a zone fails in a tick.")
    var zoneFailure = 0.002
    @Option(help: "The probability that a failed zone is back in a tick.")
    var zoneRecovery = 0.1

    /// The fleet without zones.
    var settings: RedundancySettings {
        RedundancySettings(
            needed: needed, ticks: ticks, failure: failure, recovery: recovery, lag: lag, requests: requests)
    }

    func validate() throws {
        for (value, option, range) in [
            (needed, "--needed", 1...1_000), (spares, "--spares", 0...100), (ticks, "--ticks", 1...10_000_000),
            (lag, "--lag", 0...1_000_000), (requests, "--requests", 0...1_000_000),
        ] {
            try Check.that(range.contains(value), option, value, "from \(range.lowerBound) to \(range.upperBound)")
        }
        for (value, option) in [
            (failure, "--failure"), (recovery, "--recovery"), (fragile, "--fragile"),
            (zoneFailure, "--zone-failure"), (zoneRecovery, "--zone-recovery"),
        ] {
            try Check.probability(value, option)
        }
        try Check.that(target > 0 && target < 100, "--target", target, "above 0 and below 100")
        for count in zones { try Check.that((1...100).contains(count), "--zones", count, "from 1 to 100") }
    }
}
