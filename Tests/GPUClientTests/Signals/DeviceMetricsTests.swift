import GPUClient
import SpillwayCore
import Testing

private let noon = Instant(nanoseconds: 1_000_000_000_000)

private func device(_ page: String) -> DeviceMetrics { DeviceMetrics(Array(page.utf8), at: noon) }

private func line(_ name: String, _ gpu: Int, _ value: String, _ more: String = "") -> String {
    "\(name){gpu=\"\(gpu)\",UUID=\"GPU-\(gpu)\",pci_bus_id=\"00000000:07:00.0\",device=\"nvidia\(gpu)\","
        + "modelName=\"NVIDIA H200\",Hostname=\"node\"\(more)} \(value)\n"
}

@Suite("Vetoes of GPUs")
struct DeviceMetricsTests {
    @Test("a machine that is well")
    func well() {
        var page = ""
        for gpu in 0..<8 {
            page += line("DCGM_FI_DEV_GPU_TEMP", gpu, "61") + line("DCGM_FI_DEV_XID_ERRORS", gpu, "0")
            page += line("DCGM_FI_DEV_FB_FREE", gpu, "1024") + line("DCGM_FI_DEV_FB_USED", gpu, "142000")
            page += line("DCGM_FI_DEV_GPU_UTIL", gpu, "100") + line("DCGM_FI_DEV_ROW_REMAP_FAILURE", gpu, "0")
            page += "DCGM_EXP_XID_ERRORS_COUNT{gpu=\"\(gpu)\",UUID=\"GPU-\(gpu)\"} 0\n"
        }
        let metrics = device(page)
        #expect(metrics.devices.map(\.name) == (0..<8).map { "GPU-\($0)" } && metrics.devices[3].index == "3")
        // All memory taken and always busy: so it is with every engine.
        #expect(metrics.devices[0].utilisation == 1 && metrics.devices[0].memoryFree == 1 << 30)
        #expect(metrics.devices[0].memoryUsed == 142_000 << 20 && metrics.devices[0].temperature == 61)
        #expect(metrics.veto() == nil && metrics.unreadable == 0 && metrics.said == noon)
    }

    @Test("an XID after which a GPU must be reset is a veto, one that a program caused is none")
    func xids() {
        for xid in 1...200 {
            let isFatal = [46, 48, 62, 64, 74, 79, 95, 110, 119, 120, 136, 140, 143, 158].contains(xid)
            let veto = isFatal ? DeviceVeto(device: "GPU-1", reason: .xid(xid)) : nil
            #expect(device(line("DCGM_FI_DEV_XID_ERRORS", 1, "\(xid)", ",err_code=\"\(xid)\"")).veto() == veto)
            #expect(
                device(line("DCGM_EXP_XID_ERRORS_COUNT", 1, "2", ",xid=\"\(xid)\",window_size_in_ms=\"300000\"")).veto()
                    == veto)
            #expect(device(line("DCGM_EXP_XID_ERRORS_COUNT", 1, "0", ",xid=\"\(xid)\"")).veto() == nil)
        }
        let page = device(line("DCGM_FI_DEV_XID_ERRORS", 0, "13"))
        #expect(page.devices[0].xids == [13] && page.veto() == nil)
        #expect(page.veto(.init(xids: [13]))?.description == "GPU GPU-0: XID 13")
    }

    @Test("rows that could not be replaced, and heat")
    func others() {
        let remap = device(line("DCGM_FI_DEV_ROW_REMAP_FAILURE", 2, "1"))
        #expect(remap.veto()?.reason == .rowRemapFailure)
        let hot = device(line("DCGM_FI_DEV_GPU_TEMP", 0, "89.9") + line("DCGM_FI_DEV_GPU_TEMP", 5, "90"))
        #expect(hot.veto() == DeviceVeto(device: "GPU-5", reason: .temperature(90)))
        #expect(hot.veto(.init(temperature: nil)) == nil && hot.veto(.init(temperature: 80))?.device == "GPU-0")
    }

    @Test("only the GPUs of the replica matter")
    func selected() {
        let page = device(line("DCGM_FI_DEV_XID_ERRORS", 3, "79") + line("DCGM_FI_DEV_XID_ERRORS", 4, "0"))
        #expect(page.veto(gpus: ["GPU-4"]) == nil && page.veto(gpus: ["4"]) == nil && page.veto(gpus: []) == nil)
        #expect(page.veto(gpus: ["GPU-3"]) != nil && page.veto(gpus: ["3", "4"]) != nil)
    }

    @Test("parts of one GPU are one, and Triton's names are read")
    func parts() {
        let part = ",GPU_I_PROFILE=\"1g.10gb\",GPU_I_ID=\""
        let page = device(
            line("DCGM_FI_DEV_GPU_TEMP", 0, "50", part + "1\"") + line("DCGM_FI_DEV_GPU_TEMP", 0, "60", part + "2\"")
                + line("DCGM_FI_DEV_FB_USED", 0, "10", part + "1\"")
                + line("DCGM_FI_DEV_FB_USED", 0, "20", part + "2\""))
        #expect(page.devices.count == 1 && page.devices[0].temperature == 60 && page.devices[0].memoryUsed == 30 << 20)
        let triton = device(
            "nv_gpu_utilization{gpu_uuid=\"GPU-9\"} 0.25\nnv_gpu_memory_used_bytes{gpu_uuid=\"GPU-9\"} 4096\n")
        #expect(triton.devices.map(\.name) == ["GPU-9"])
        #expect(triton.devices[0].utilisation == 0.25 && triton.devices[0].memoryUsed == 4_096)
        #expect(device("DCGM_FI_DEV_XID_ERRORS 79\n").veto()?.device == "unknown")
    }

    @Test(
        "DCGM's marks for what it does not know are no veto, and are counted",
        arguments: ["9223372036854775794", "2147483632", "140737488355328.0", "NaN", "-1", "", "x", "79x"])
    func blanks(value: String) {
        for name in ["XID_ERRORS", "GPU_TEMP", "GPU_UTIL", "ROW_REMAP_FAILURE", "FB_USED"] {
            // -1 degree is cold.
            if name == "GPU_TEMP" && value == "-1" { continue }
            if name == "ROW_REMAP_FAILURE" && value == "2147483632" { continue }
            let page = device(line("DCGM_FI_DEV_\(name)", 0, value))
            #expect(page.veto() == nil && page.unreadable == 1, "\(name)")
        }
    }

    @Test("random pages of GPUs are no trouble, and keep a bounded number of them")
    func random() {
        var page = ""
        for gpu in 0..<1_000 { page += line("DCGM_FI_DEV_GPU_TEMP", gpu, "40") }
        #expect(device(page).devices.count == DeviceMetrics.most)
        let good = Array(line("DCGM_FI_DEV_XID_ERRORS", 3, "79").utf8)
        for seed in 1...5_000 as ClosedRange<UInt64> {
            var random = RandomSource.seeded(seed)
            var bytes = good
            for _ in 0..<3 {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = .random(in: 0...255, using: &random)
            }
            let read = DeviceMetrics(bytes, at: noon)
            if let veto = read.veto(), case .xid(let xid) = veto.reason {
                #expect(DeviceLimits.resetXIDs.contains(xid))
            }
        }
    }
}
