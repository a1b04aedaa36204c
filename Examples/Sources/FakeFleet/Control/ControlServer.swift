import Hummingbird

/// The fleet's control API: faults, phases and counters.
struct ControlServer: Sendable {
    let replicas: [Replica]
    let faults: FaultBoard
    let ledger: Ledger

    /// The control endpoints.
    func router() -> Router<FleetContext> {
        let router = Router(context: FleetContext.self)
        router.middlewares.add(ErrorShape())
        router.get("control/faults") { _, _ in activeFaults() }
        router.put("control/faults") { request, _ in
            faults.rules = try FaultRule.list(from: await request.json(), replicas: replicas.count)
            return activeFaults()
        }
        router.post("control/reset") { _, _ in
            ledger.reset()
            return Response(json: ["reset": true])
        }
        router.post("control/phase") { request, _ in
            let fields = try JSONFields(await request.json())
            let phase = try fields.required("phase", fields.string("phase"))
            guard !phase.isEmpty else { throw fields.invalid("phase", "must not be empty") }
            ledger.enter(phase: phase)
            return Response(json: ["phase": .string(phase)])
        }
        router.get("control/stats") { _, _ in await stats() }
        return router
    }

    private func activeFaults() -> Response {
        Response(json: .array(faults.rules.map(\.json)))
    }

    private func stats() async -> Response {
        var loads: [Engine.Load] = []
        for replica in replicas {
            loads.append(await replica.driver.load)
        }
        return Response(json: ledger.report(loads: loads))
    }
}
