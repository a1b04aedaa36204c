import GPUClient

/// Whether two numbers agree to within `part` of the expected one.
func close(_ value: Double, _ expected: Double, within part: Double = 1e-12) -> Bool {
    abs(value - expected) <= part * abs(expected)
}

/// A(N, k) by brute force: every replica and every zone up or down, one state after another.
func enumerated(_ plan: Redundancy, spares: Int) -> (attainment: Double, shortfall: Double) {
    let replicas = plan.needed + spares
    let parts = replicas + plan.zones
    var sums = (attainment: 0.0, shortfall: 0.0)
    for state in 0..<(1 << parts) {
        func isUp(_ part: Int) -> Bool { state >> part & 1 == 1 }
        var probability = 1.0
        for part in 0..<parts {
            let up = part < replicas ? plan.availability : plan.zoneAvailability
            probability *= isUp(part) ? up : 1 - up
        }
        let serving = (0..<replicas).count { isUp($0) && isUp(replicas + $0 % plan.zones) }
        if serving >= plan.needed { sums.attainment += probability } else { sums.shortfall += probability }
    }
    return sums
}
