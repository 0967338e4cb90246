using Harepd.Config;
using Xunit;

namespace Harepd.Tests.Config;

public sealed class ConfigDiffTests
{
    private const string Everything = """
        harepd:
          cluster: "other"
          nodeName: "node_2"
          primaryIP: "10.0.1.1"
          allowRO: true
          hbaConfig: "/pg_hba.conf"
          watchDog: 3
          haproxy:
            server: ["10.0.1.9"]
            users: { readWrite: "w", readOnly: "r" }
            endpoints: ["unix:/s"]
            writeBackend: "a"
            readBackend: "b"
            serverName: "c"
            timeout: 100ms
            reconcile: 3s
          pgbouncer:
            endpoints: ["tcp:10.0.1.1:6432"]
            user: "p"
            passFile: /p
            databases: ["x"]
            includeFile: /i
            timeout: 100ms
            reconcile: 3s
          authModes: { allow: "scram-sha-256", deny: "reject" }
          repmgr: { user: "u", db: "d" }
          postgres:
            socketDir: /s
            port: 1
            user: u
            database: d
            dataDirectory: /d
            binDirectory: /b
            startCommand: go
            replicationUser: streamer
            pollInterval: 1s
            alarmedPollInterval: 5ms
            hangTimeout: 9s
            writeProbeInterval: 9s
          gRPC:
            bindAddress: "10.0.1.1"
            bindPort: 1
            advertise: "10.0.1.1:2"
            neighbours: ["10.0.1.2:1"]
            witness: "10.0.1.3:1"
            connectionDeadline: 1
            serverHostOverride: "x"
            tls: { enabled: true, ca: /ca, cert: /cert, key: /key, clientAuth: require }
          membership: { epoch: 2, previous: ["10.0.1.1:2"] }
          lease: { profile: fast, duration: 2s, renewInterval: 300ms, fenceBudget: 400ms, maxDuration: 5s, driftPpm: 1 }
          fence: { scope: checks, exceptions: ["x"], stopPostmaster: false, requireGuard: true, watchdogDevice: /w }
          http: { bindAddress: "10.0.1.4", bindPort: 8, agentPort: 9, tls: require }
          reads: { maxLagBytes: 1kB, maxLagTime: 1s, settle: 1s, primary: never }
          failover:
            manager: harepd
            noFailover: true
            priority: 1
            maxLagBytes: 1kB
            onPossibleLoss: readOnly
            onCrash: restart
            startCrashed: false
            stopGrace: 1s
            rejoin: auto
            promoteTimeout: 2s
            minInterval: 3s
            maxInterval: 4s
            synchronousOnly: true
            synchronous: managed
            synchronousCount: 2
            synchronousDegradeAfter: 4s
            synchronousStrict: true
          history: { table: true, rows: 200 }
          hooks: { timeout: 1s, roleChange: /a, gate: /b, beforeFailover: /c, afterFailover: /d, beforeSwitchover: /e, afterSwitchover: /f }
          logs: { filePath: /l, maxAge: 1, rotationTime: 1 }
          stateDir: /a
          runDir: /b
        """;

    [Fact]
    public void The_same_file_changes_nothing()
    {
        var diff = ConfigDiff.Between(TemporaryConfig.Good(TemporaryConfig.Minimal), TemporaryConfig.Good(TemporaryConfig.Minimal));

        Assert.Empty(diff.Reloaded);
        Assert.Empty(diff.NeedRestart);
    }

    [Fact]
    public void A_reload_takes_what_it_can_and_names_what_waits()
    {
        var diff = ConfigDiff.Between(
            TemporaryConfig.Good(TemporaryConfig.Minimal),
            TemporaryConfig.Good(TemporaryConfig.Plus("allowRO: true\nlease: { duration: 2s }")));

        Assert.Equal(new ConfigChange("allowRO", "false", "true", null), Assert.Single(diff.Reloaded));
        var waiting = Assert.Single(diff.NeedRestart);
        Assert.Equal(("lease.duration", "3s", "2s"), (waiting.Path, waiting.Old, waiting.New));
        Assert.True(diff.Effective.AllowRo);
        Assert.Equal(TimeSpan.FromSeconds(3), diff.Effective.Lease.Duration);
    }

    [Fact]
    public void Every_key_is_compared_and_the_effective_configuration_holds_to_the_table()
    {
        var current = TemporaryConfig.Good(TemporaryConfig.Minimal);
        var read = TemporaryConfig.Good(Everything);

        var diff = ConfigDiff.Between(current, read);

        // authModes.deny has but one value, so it alone cannot change.
        Assert.Equal(ConfigKeys.All.Length - 1, diff.Reloaded.Length + diff.NeedRestart.Length);
        Assert.All(
            ConfigKeys.All,
            key => Assert.Equal((key.Path, key.Text(key.RestartReason is null ? read : current)), (key.Path, key.Text(diff.Effective))));
    }

    [Fact]
    public void A_renamed_node_keeps_its_server_name_until_the_restart()
    {
        var diff = ConfigDiff.Between(
            TemporaryConfig.Good(TemporaryConfig.Minimal),
            TemporaryConfig.Good(TemporaryConfig.With("node_1", "node_2")));

        Assert.Equal("node_1", diff.Effective.Haproxy.ServerName);
    }
}
