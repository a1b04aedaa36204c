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
            limitMemory()
            return activeFaults()
        }
        router.post("control/reset") { _, _ in
            ledger.reset(loads: replicas.map(\.driver.load))
            return Response(json: ["reset": true])
        }
        router.post("control/phase") { request, _ in
            let fields = try JSONFields(await request.json())
            let phase = try fields.required("phase", fields.string("phase"))
            guard !phase.isEmpty else { throw fields.invalid("phase", "must not be empty") }
            ledger.enter(phase: phase)
            return Response(json: ["phase": .string(phase)])
        }
        router.get("control/stats") { _, _ in stats() }
        return router
    }

    private func activeFaults() -> Response {
        Response(json: .array(faults.rules.map(\.json)))
    }

    /// Leaves engines that run out of memory half their KV blocks: those calls that are not refused feel it too.
    private func limitMemory() {
        let short = faults.rules.filter { $0.kind == .outOfMemory }
        for replica in replicas {
            let isShort = short.contains { $0.replica == nil || $0.replica == replica.index }
            replica.driver.adjust { $0.limitMemory(toBlocks: isShort ? replica.engine.kvBlocks / 2 : nil) }
        }
    }

    private func stats() -> Response {
        Response(json: ledger.report(loads: replicas.map(\.driver.load)))
    }
}
