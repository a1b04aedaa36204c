import GPUClient
import SpillwayCore
import SpillwayTesting
import Testing

private let noon = Instant(nanoseconds: 1_000_000_000_000)

private func metrics(_ page: String, model: String? = nil) -> EngineMetrics {
    EngineMetrics(Array(page.utf8), model: model, at: noon)
}

@Suite("Metrics of engines")
struct EngineMetricsTests {
    @Test("a page of vLLM")
    func vllm() {
        let page = VLLMPage {
            $0.engines[0] = .init {
                ($0.waiting, $0.running, $0.kvUse) = (3, 17, 0.4125)
                ($0.prefixQueries, $0.prefixHits, $0.preemptions) = (123_456_789, 98_765_432, 5)
            }
        }
        #expect((38_000...48_000).contains(page.text.utf8.count))
        let read = metrics(page.text)
        #expect(
            read.load
                == EngineLoad(
                    at: noon, waiting: 3, running: 17, kvUse: 0.4125, blockSize: 16, blocks: 27_482,
                    prefixQueries: 123_456_789, prefixHits: 98_765_432, preemptions: 5))
        #expect(read.unreadable == 0)
    }

    @Test("ranks of one server are added up, and shares are averaged")
    func ranks() {
        let page = VLLMPage {
            $0.engines = [
                .init { ($0.waiting, $0.running, $0.kvUse, $0.prefixHits) = (1, 10, 0.25, 100) },
                .init { ($0.waiting, $0.running, $0.kvUse, $0.prefixHits) = (4, 20, 0.75, 50) },
            ]
        }
        let load = metrics(page.text).load
        #expect(load.waiting == 5 && load.running == 30 && load.kvUse == 0.5 && load.prefixHits == 150)
        #expect(load.blocks == 2 * 27_482 && load.blockSize == 16 && load.freeBlocks == 27_482)
    }

    @Test(
        "what other engines call it",
        arguments: [
            (
                """
                vllm:num_requests_waiting 2
                vllm:num_requests_running 5
                vllm:gpu_cache_usage_perc 0.25
                vllm:gpu_prefix_cache_hit_rate 0.5

                """, EngineLoad(at: noon, waiting: 2, running: 5, kvUse: 0.25, hitRate: 0.5)
            ),
            (
                """
                sglang:num_queue_reqs{model_name="m",tp_rank="0"} 2
                sglang:num_running_reqs{model_name="m",tp_rank="0"} 5.0
                sglang:token_usage{model_name="m",tp_rank="0"} 0.28
                sglang:cache_hit_rate{model_name="m",tp_rank="0"} 0.5
                sglang:cache_config_info{model_name="m",page_size="64",num_pages="4096"} 1

                """,
                EngineLoad(at: noon, waiting: 2, running: 5, kvUse: 0.28, blockSize: 64, blocks: 4_096, hitRate: 0.5)
            ),
            (
                "sglang:page_size 1\nsglang:num_pages 262144\n", EngineLoad(at: noon, blockSize: 1, blocks: 262_144)
            ),
            (
                """
                trtllm_num_requests_waiting{model_name="m",engine_type="trtllm"} 2
                trtllm_num_requests_running{model_name="m"} 5
                trtllm_kv_cache_utilization{model_name="m"} 0.62
                trtllm_kv_cache_host_utilization{model_name="m"} 0.1
                trtllm_kv_cache_tokens_per_block 32
                trtllm_kv_cache_max_blocks 1000

                """, EngineLoad(at: noon, waiting: 2, running: 5, kvUse: 0.62, blockSize: 32, blocks: 1_000)
            ),
            (
                """
                nv_inference_pending_request_count{model="ensemble",version="1"} 9
                nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="waiting",version="1"} 2
                nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="scheduled",version="1"} 5
                nv_trt_llm_request_metrics{model="tensorrt_llm",request_type="active",version="1"} 7
                nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="tokens_per",model="tensorrt_llm",version="1"} 64
                nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="used",model="tensorrt_llm",version="1"} 1560
                nv_trt_llm_kv_cache_block_metrics{kv_cache_block_type="max",model="tensorrt_llm",version="1"} 6240
                nv_gpu_utilization{gpu_uuid="GPU-0"} 0.3

                """, EngineLoad(at: noon, waiting: 2, running: 5, kvUse: 0.25, blockSize: 64, blocks: 6_240)
            ),
            (
                "nv_inference_pending_request_count{model=\"m\"} 3\nnv_trt_llm_kv_cache_block_metrics{kv_cache_block_type=\"fraction\"} 0.5\n",
                EngineLoad(at: noon, waiting: 3, kvUse: 0.5)
            ),
            ("tgi_queue_size 2\ntgi_batch_current_size 5\n", EngineLoad(at: noon, waiting: 2, running: 5)),
            (
                """
                llamacpp:requests_processing 5
                llamacpp:requests_deferred 2
                llamacpp:kv_cache_usage_ratio 0.5
                llamacpp:prompt_tokens_cached_total 77

                """, EngineLoad(at: noon, waiting: 2, running: 5, kvUse: 0.5, prefixHits: 77)
            ),
        ])
    func aliases(page: String, load: EngineLoad) {
        #expect(metrics(page).load == load)
        #expect(metrics(page).unreadable == 0)
        #expect(metrics(page.split(separator: "\n").joined(separator: "\r\n") + "\r\n").load == load)
    }

    @Test("two names of one thing on a page count once, whichever comes first")
    func twice() {
        let names = [
            "vllm:prefix_cache_hits_total 7", "vllm:gpu_prefix_cache_hits_total 7", "vllm:prefix_cache_hits 6",
        ]
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]] {
            #expect(metrics(order.map { names[$0] + "\n" }.joined()).load.prefixHits == 7)
        }
        let page = "vllm:gpu_cache_usage_perc 0.3\nvllm:kv_cache_usage_perc 0.5\n"
        #expect(metrics(page).load.kvUse == 0.5)
    }

    @Test("processes of one data-parallel rank say the same again")
    func copies() {
        var page = ""
        for (tp, dp) in [(0, 0), (1, 0), (2, 1), (3, 1)] {
            page += "sglang:num_queue_reqs{dp_rank=\"\(dp)\",tp_rank=\"\(tp)\"} \(dp == 0 ? 3 : 11)\n"
        }
        #expect(metrics(page).load.waiting == 14)
        #expect(
            metrics("sglang:num_queue_reqs{tp_rank=\"0\"} 3\nsglang:num_queue_reqs{tp_rank=\"1\"} 3\n").load.waiting
                == 3)
    }

    @Test("requests of each priority are part of those of all")
    func priorities() {
        let lines = [
            "sglang:num_queue_reqs{priority=\"\",tp_rank=\"0\"} 5",
            "sglang:num_queue_reqs{priority=\"1\",tp_rank=\"0\"} 2",
            "sglang:num_queue_reqs{priority=\"2\",tp_rank=\"0\"} 3",
        ]
        for order in [[0, 1, 2], [1, 0, 2], [2, 1, 0]] {
            #expect(metrics(order.map { lines[$0] + "\n" }.joined()).load.waiting == 5)
        }
        #expect(metrics(lines[2] + "\n" + lines[1] + "\n").load.waiting == 5)
    }

    @Test("of several models one can be read")
    func models() {
        let page = """
            vllm:num_requests_waiting{model_name="a\\"b\\\\c\\nd"} 1
            vllm:num_requests_waiting{engine="0",model_name="other"} 2
            vllm:num_requests_running 4
            vllm:num_requests_waiting{model_name="a"} x

            """
        #expect(metrics(page).load.waiting == 3)
        #expect(metrics(page).unreadable == 1)
        let one = metrics(page, model: "a\"b\\c\nd")
        #expect(one.load.waiting == 1 && one.load.running == 4 && one.unreadable == 0)
        #expect(metrics(page, model: "other").load.waiting == 2)
        #expect(metrics(page, model: "othe").load.waiting == nil)
        #expect(metrics(page, model: "").load.running == 4)
    }

    @Test(
        "values",
        arguments: [
            ("3", 3), ("3.0", 3), ("+3", 3), ("1.2e3", 1_200), ("1.2E+03", 1_200), ("12e-1", 1), ("0", 0), ("-0", 0),
            (".5e1", 5), ("3 1700000000000", 3), ("3 -5", 3), ("3 1.7e9 # {trace=\"x\"} 1", 3), ("3\t", 3),
            ("3 # x", 3),
            ("NaN", nil), ("+Inf", nil), ("-Inf", nil), ("-1", nil), ("1e10", nil), ("1e999999999999", nil), ("", nil),
            ("x", nil), ("3x", nil), ("0x10", nil), ("1_000", nil), ("1e", nil), ("--1", nil), ("3 x", nil), (".", nil),
            ("3 4 5", nil), ("\u{661}", nil),
        ] as [(String, Int?)])
    func values(text: String, value: Int?) {
        for labels in ["", "{}", "{a=\"b\",}", "{ a = \"\\\"}\" , c=\"\" }"] {
            let read = metrics("vllm:num_requests_waiting\(labels) \(text)\n")
            #expect(read.load.waiting == value, "\(labels)")
            #expect(read.unreadable == (value == nil ? 1 : 0), "\(labels)")
        }
    }

    @Test(
        "malformed lines are counted",
        arguments: [
            "{", "{}", "{a}", "{a=}", "{a=\"} 1", "{a=\"b\" c=\"d\"} 1", "{=\"b\"} 1", "{a=\"b\\\"} 1", "{,} 1",
            "{a=\"\\", "{}}1",
            "{a=\"b\"", "{a=b} 1",
        ])
    func malformed(rest: String) {
        let read = metrics("vllm:num_requests_waiting\(rest)\nvllm:num_requests_running 2\n")
        #expect(read.load == EngineLoad(at: noon, running: 2))
        #expect(read.unreadable == 1)
    }

    @Test("names that only begin alike are others")
    func others() {
        let page = """
            vllm:num_requests_waiting_by_reason{reason="capacity"} 5
            vllm:num_requests_waiting_total 5
            vllm:num_preemptions_totals 5
            vllm:num_preemptions_created 1.7e9
            vllm:num_requests_waitin 5
            xvllm:num_requests_waiting 5
            VLLM:num_requests_waiting 5
            # TYPE vllm:num_requests_waiting gauge
            sglang:num_queue_reqs_total 999
            tgi_queue_size_bucket 4
            """
        #expect(metrics(page + "\n").load.isEmpty)
        #expect(metrics(page + "\n").unreadable == 0)
    }

    @Test("a page that was cut off gives what came whole")
    func cut() {
        let page = Array("vllm:num_requests_running 12\nvllm:num_requests_waiting 345\n".utf8)
        for length in 0...page.count {
            let read = EngineMetrics(Array(page.prefix(length)), at: noon)
            #expect(read.load.running == (length > 28 ? 12 : nil))
            // A number whose end was cut off would be another number.
            #expect(read.load.waiting == (length == page.count ? 345 : nil))
        }
    }

    @Test("labels that are not known yet are no error")
    func unknownBlocks() {
        let read = metrics("vllm:cache_config_info{block_size=\"16\",num_gpu_blocks=\"None\"} 1.0\n")
        #expect(read.load == EngineLoad(at: noon, blockSize: 16) && read.unreadable == 0)
    }
}
