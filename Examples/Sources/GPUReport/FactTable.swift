import GPUClient

/// The facts of GPUs side by side: a row for each fact, a column for each GPU.
struct FactTable {
    let text: String

    init(_ gpus: [GPUFacts]) {
        let rows: [(name: String, value: (GPUFacts) -> String?)] = [
            ("gpu", { "\($0.index)" }),
            ("name", { $0.name }),
            ("uuid", { $0.uuid }),
            ("bus", { $0.busID }),
            ("sound", { $0.isSound ? "yes" : $0.isLost ? "lost" : "no" }),
            ("memory used, MiB", { $0.memory.map { Self.mebibytes($0.used) } }),
            ("memory free, MiB", { $0.memory.map { Self.mebibytes($0.free) } }),
            ("memory total, MiB", { $0.memory.map { Self.mebibytes($0.total) } }),
            ("memory reserved, MiB", { $0.memory?.reserved.map { Self.mebibytes($0) } }),
            ("busy, %", { $0.utilization.map { "\($0.percent)" } }),
            ("memory busy, %", { $0.utilization.map { "\($0.memoryPercent)" } }),
            ("temperature, °C", { $0.celsius.map { "\($0)" } }),
            ("power, W", { $0.milliwatts.map { "\($0 / 1_000)" } }),
            ("power limit, W", { $0.milliwattLimit.map { "\($0 / 1_000)" } }),
            ("energy, kJ", { $0.millijoules.map { "\($0 / 1_000_000)" } }),
            ("throttled by", { $0.throttling.map { "\($0)" } }),
            ("rows remapped", { $0.remappedRows.map { "\($0.corrected) + \($0.uncorrected)" } }),
            ("remap pending", { $0.remappedRows.map { $0.isPending ? "yes" : "no" } }),
            ("remap failed", { $0.remappedRows.map { $0.hasFailed ? "yes" : "no" } }),
            ("errors corrected", { $0.memoryErrors.map { "\($0.corrected)" } }),
            ("errors uncorrected", { $0.memoryErrors.map { "\($0.uncorrected)" } }),
            ("Xid errors", { $0.xids.map { xids in "\(xids.count)" + (xids.last.map { ", last \($0)" } ?? "") } }),
        ]
        let columns = [rows.map(\.name)] + gpus.map { gpu in rows.map { $0.value(gpu) ?? "-" } }
        // The last is not filled up.
        let widths = columns.dropLast().map { $0.map(\.count).max() ?? 0 } + [0]
        text = rows.indices.map { row in
            zip(columns, widths).map { column, width in
                column[row] + String(repeating: " ", count: max(0, width - column[row].count))
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }

    private static func mebibytes(_ bytes: Int64) -> String { "\(bytes / 1_048_576)" }
}
