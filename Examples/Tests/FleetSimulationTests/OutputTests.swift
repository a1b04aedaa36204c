import Foundation
import Testing

@testable import FleetSimulation

@Suite("Output")
struct OutputTests {
    private static let policies: [any StormPolicy] = [NaiveRetry(), TextbookBreaker(), HedgedRetry()]

    private func storm() async throws -> StormStudy {
        try await StormStudy.run(Self.policies, settings: StormSettings(ticks: 90), seeds: 1..<4)
    }

    private func redundancy(_ more: [String] = []) async throws -> RedundancyStudy {
        let options = try RedundancyOptions.parse(
            ["--ticks", "500", "--spares", "1", "--needed", "3", "--fragile", "0.005", "--zones", "2"] + more)
        return try await RedundancyStudy.run(options, seeds: 1..<4)
    }

    private func hedging() async throws -> HedgingStudy {
        try await HedgingStudy.run(
            [.none, .guess], [.twoOrTwenty], settings: HedgingSettings(calls: 1_000), storm: StormSettings(ticks: 90),
            seeds: 1..<4)
    }

    @Test("hedging as tab-separated values")
    func hedgingRows() async throws {
        let rows = try await hedging().tsv.split(separator: "\n").map { $0.split(separator: "\t").map(String.init) }
        #expect(
            rows[0].joined(separator: "|")
                == """
                study|of_which|policy|hedged_percent_mean|hedged_percent_sd|p50_mean|p99_mean|p99_sd|p99_best|\
                p99_to_best|lost_percent_mean|lost_percent_sd|work_percent_mean|wait_mean|over_one_tick_percent|\
                gave_up_percent|seeds
                """)
        #expect(rows.allSatisfy { $0.count == 17 })
        #expect(rows[1].prefix(5) == ["2 s, 5 % 20 s", "all", "none", "0.000", "0.000"])
        let unhedged = ["2.000", "20.000", "0.000", "4.000", "5.000", "0.00", "0.00", "100.00", "NA", "NA", "NA", "3"]
        #expect(Array(rows[1][5...]) == unhedged)
        #expect(rows[2][2] == "fixed 3 s" && rows[2][5] == "2.000" && rows[2][8] == "4.000")
        // Four loads, two policies, three periods.
        #expect(rows.count == 3 + 4 * 2 * 3)
        #expect(rows[3].prefix(3) == ["20 a tick", "before", "naive"] && rows[3].last == "3")
        #expect(rows[26].prefix(3) == ["72 a tick", "after", "hedged"])
    }

    @Test("hedging as a table")
    func hedgingTable() async throws {
        let table = try await hedging().table
        #expect(
            table.hasPrefix(
                """
                hedging: 1000 calls, 40 a second, the first 250 not looked at; budget 5 %; seeds 1 to 3

                2 s, 5 % 20 s: the best hedges after 2.00 s, 100 % of those that still run

                policy     hedged %  ± sd  p50 s  p99 s  ± sd  ÷ best  lost %  work %
                ---------------------------------------------------------------------
                none           0.00  0.00   2.00  20.00  0.00    5.00     0.0   100.0
                """))
        #expect(table.contains("requests a tick  policy"))
    }

    @Test("the storm as tab-separated values")
    func stormRows() async throws {
        #expect(
            try await storm().tsv.replacing("\t", with: "|")
                == """
                policy|goodput_mean|goodput_ceiling|wasted_mean|wasted_floor|goodput_sd|wasted_sd|\
                goodput_outage_mean|goodput_outside_mean|wasted_outage_mean|wasted_outside_mean|below_ceiling_worst|\
                above_floor_percent_mean|above_floor_percent_worst|seeds
                naive|87.690|87.701|1319.0|164.0|0.054|5.3|54.275|104.398|1222.0|97.0|0.031|705.04|732.28|3
                breaker|69.583|87.701|112.0|164.0|0.041|9.2|54.306|77.222|41.0|71.0|18.148|-31.78|-29.82|3
                hedged|66.564|87.701|2740.7|164.0|0.180|18.0|43.225|78.233|1463.0|1277.7|21.281|1572.62|1625.95|3
                """)
    }

    @Test("the storm as a table")
    func stormTable() async throws {
        #expect(
            try await storm().table
                == """
                retry-storm: 8 replicas with 10 slots a tick, 72 requests a tick, 90 ticks,
                4 replicas sick in the middle third, give or take 0 ticks; seeds 1 to 3

                policy          goodput %   ± sd  in outage  outside  wasted  ± sd  in outage  outside  above floor
                ---------------------------------------------------------------------------------------------------
                naive              87.690  0.054      54.27   104.40    1319     5       1222       97      705.0 %
                breaker            69.583  0.041      54.31    77.22     112     9         41       71      -31.8 %
                hedged             66.564  0.180      43.23    78.23    2741    18       1463     1278     1572.6 %
                ceiling, floor     87.701  0.041          –        –     164     7          –        –            –

                Ceiling: an oracle that knows who is sick. Floor: its natural failures, and 40 calls to detect 4 \
                sick replicas.
                Outside the outage more than 100 % may be served: some have waited from it.
                The textbook's single run (its seed 1 and its generator), goodput and wasted calls:
                  naive: published 84.9 % and 58319; repeated here 84.9 % and 58319
                  breaker: published 84.4 % and 5094; repeated here 84.4 % and 5094
                """)
    }

    @Test("redundancy as tab-separated values")
    func redundancyRows() async throws {
        #expect(
            try await redundancy().tsv.replacing("\t", with: "|")
                == """
                study|zones|spares|attainment_mean|attainment_sd|single_run_low|single_run_high|attainment_computed|\
                attainment_textbook|textbook_within|availability_mean|availability_sd|availability_textbook|\
                monthly_usd|seeds
                spares|1|0|93.3333|1.7010|84.8817|100.0000|87.378573|NA|NA|99.3350|0.1268|NA|NA|3
                spares|1|1|98.6667|1.5275|91.0769|100.0000|98.906530|NA|NA|99.3750|0.3947|NA|NA|3
                target|1|0|60.6000|6.2642|29.4753|91.7247|72.139877|NA|NA|NA|NA|NA|NA|3
                target|1|1|96.8000|2.2271|85.7342|100.0000|94.461184|NA|NA|NA|NA|NA|NA|3
                target|1|2|100.0000|0.0000|100.0000|100.0000|99.065580|NA|NA|NA|NA|NA|NA|3
                target|1|3|100.0000|0.0000|100.0000|100.0000|99.857067|NA|NA|NA|NA|NA|NA|3
                target|1|4|100.0000|0.0000|100.0000|100.0000|99.979517|NA|NA|NA|NA|NA|NA|3
                target|1|5|100.0000|0.0000|100.0000|100.0000|99.997199|NA|NA|NA|NA|NA|NA|3
                zones|2|0|84.0000|7.9019|44.7380|100.0000|83.985556|NA|NA|NA|NA|NA|NA|3
                zones|2|2|98.8667|0.8083|94.8505|100.0000|97.720139|NA|NA|NA|NA|NA|NA|3
                nine 1|1|0|NA|NA|NA|NA|90.461048027|NA|NA|NA|NA|NA|0|NA
                nine 2|1|1|NA|NA|NA|NA|99.507152830|NA|NA|NA|NA|NA|1460|NA
                nine 3|1|2|NA|NA|NA|NA|99.982073332|NA|NA|NA|NA|NA|2920|NA
                nine 4|1|3|NA|NA|NA|NA|99.999487084|NA|NA|NA|NA|NA|4380|NA
                nine 5|1|3|NA|NA|NA|NA|99.999487084|NA|NA|NA|NA|NA|4380|NA
                nine 6|1|4|NA|NA|NA|NA|99.999987729|NA|NA|NA|NA|NA|5840|NA
                nine 7|1|5|NA|NA|NA|NA|99.999999745|NA|NA|NA|NA|NA|7300|NA
                nine 8|1|5|NA|NA|NA|NA|99.999999745|NA|NA|NA|NA|NA|7300|NA
                """)
    }

    @Test("redundancy as a table")
    func redundancyTable() async throws {
        #expect(
            try await redundancy().table
                == """
                redundancy: 3 replicas needed, 500 ticks, failure 0.002, recovery 0.05, lag 3, 40 requests a tick; \
                seeds 1 to 3

                replicas  availability %  attainment %   ± sd    95 % of runs  A(N,k) %  textbook %  within
                -------------------------------------------------------------------------------------------
                N+0               99.335        93.333  1.701  84.882…100.000    87.379           –       –
                N+1               99.375        98.667  1.528  91.077…100.000    98.907           –       –

                The smallest k for 99.9 % when replicas fail with 0.005 a tick: simulated k = 2, computed k = 4.

                replicas  attainment %   ± sd  A(N,k) %
                ---------------------------------------
                N+0             60.600  6.264    72.140
                N+1             96.800  2.227    94.461
                N+2            100.000  0.000    99.066
                N+3            100.000  0.000    99.857
                N+4            100.000  0.000    99.980
                N+5            100.000  0.000    99.997

                The cost of a nine: 20 replicas of 0.995 at 2 dollars an hour (730 hours a month).

                nines  spares  added  dollars a month for them
                ----------------------------------------------
                1           0      0                         0
                2           1      1                      1460
                3           2      1                      2920
                4           3      1                      4380
                5           3      0                      4380
                6           4      1                      5840
                7           5      1                      7300
                8           5      0                      7300

                Zones that fail with 0.002 a tick and are back with 0.1: all replicas in one, or spread.

                zones  replicas  attainment %   95 % of means  computed %
                ---------------------------------------------------------
                2           N+0        84.000  64.369…100.000      83.986
                2           N+2        98.867  96.859…100.000      97.720
                """)
    }

    @Test("one seed has no spread, and says so")
    func oneSeed() async throws {
        let study = try await StormStudy.run(Self.policies, settings: StormSettings(ticks: 30), seeds: 1..<2)
        let rows = study.tsv.split(separator: "\n").map { $0.split(separator: "\t", omittingEmptySubsequences: false) }
        #expect(Set(rows.map(\.count)) == [15])
        #expect(rows.dropFirst().allSatisfy { $0[5] == "NA" && $0[6] == "NA" })
        #expect(!study.table.contains("nan") && !study.svg.contains("nan"))
    }

    @Test("the drawings are well-formed and load nothing")
    func drawings() async throws {
        for svg in [
            try await storm().svg, try await redundancy().svg, try await redundancy(["--requests", "0"]).svg,
            try await hedging().svg,
        ] {
            #expect(complaint(about: svg) == nil)
            #expect(!svg.contains("nan") && !svg.contains("inf"))
            #expect(svg.components(separatedBy: "http").count == 2, "only the namespace")
        }
    }

    @Test("the textbook's figures stand beside its own fleet alone")
    func textbook() async throws {
        #expect(try await redundancy().spares.allSatisfy { $0.textbook == nil && $0.holdsTextbook == nil })
        let own = try await RedundancyStudy.run(
            RedundancyOptions.parse(["--spares", "0", "--target", "10", "--zones", "1"]), seeds: 1..<4)
        #expect(own.spares[0].textbook?.attainment == 66.830)
    }
}
