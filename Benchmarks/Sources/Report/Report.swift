import CAllocations
import Foundation

/// Prints each operation beside the physical limit of the machine, and writes the table as tab-separated values.
///
/// `swift run -c release Report results.tsv`
@main
struct Report {
    static func main() async throws {
        guard CommandLine.arguments.count == 2 else {
            FileHandle.standardError.write(Data("usage: Report FILE.tsv\n".utf8))
            exit(2)
        }
        // Never on the main actor: its executor hops between threads.
        let rows = try await Task.detached { try await measured() }.value
        var lines = ["operation\tthreads\tns_per_op\tlimit_ns\tratio\tallocations\tlimit"]
        for row in rows {
            let time = row.figure.nanoseconds
            lines.append(
                [
                    row.operation, "\(row.threads)", String(format: "%.2f", time), String(format: "%.2f", row.limit),
                    String(format: "%.2f", time / row.limit),
                    allocations_are_counted() && !row.figure.allocations.isNaN
                        ? String(format: "%g", row.figure.allocations) : "not counted",
                    row.limitName,
                ].joined(separator: "\t"))
        }
        try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: CommandLine.arguments[1]))
        print(lines.map(aligned).joined(separator: "\n"))
    }

    private static func aligned(_ line: String) -> String {
        let widths = [28, 8, 10, 9, 7, 12]
        return line.split(separator: "\t").enumerated().map { index, field in
            index < widths.count
                ? String(field).padding(toLength: max(widths[index], field.count + 1), withPad: " ", startingAt: 0)
                : String(field)
        }.joined()
    }

    private static func measured() async throws -> [Row] {
        func note(_ text: String) { FileHandle.standardError.write(Data("bench: \(text)\n".utf8)) }
        note("limits of the machine")
        let limits = await Limits.measured()
        note(
            String(
                format: "load %.2f, cas %.2f, add %.2f, clock %.2f, random %.2f, closure %.2f, child task %.0f, "
                    + "structured child %.0f, suspending %.0f ns",
                limits.load, limits.cas, limits.add, limits.clock, limits.random, limits.closure,
                limits.child, limits.structuredChild, limits.structuredChildSuspending))
        var rows: [Row] = []
        note("bucket")
        rows += try await bucketRows(limits)
        note("shared limit")
        rows += try await sharedRows(limits)
        note("keyed bucket")
        rows += try await keyedRows(limits)
        note("quota")
        rows += try await quotaRows(limits)
        note("router")
        rows += try await routerRows(limits)
        note("concurrency")
        rows += try await concurrencyRows(limits)
        note("breaker")
        rows += try await breakerRows(limits)
        note("budget and backoff")
        rows += try await retryRows(limits)
        note("policy")
        rows += try await policyRows(limits)
        note("queue")
        rows += try await queueRows(limits)
        note("deadline")
        rows += try await deadlineRows(limits)
        note("hedge")
        rows += try await hedgeRows(limits)
        note("ledger")
        rows += try await ledgerRows(limits)
        note("ledger on the disk")
        rows += try await durableRows(limits)
        note("caches")
        rows += try await cacheRows(limits)
        note("rollout")
        rows += try await rolloutRows(limits)
        note("metrics of engines")
        rows += try metricsRows(limits)
        note("fleet")
        rows += try fleetRows(limits)
        note("planning")
        rows += try await planningRows(limits)
        note("health")
        rows += try await healthRows(limits)
        note("simulation")
        rows += try await simulationRows(limits)
        return rows
    }
}
