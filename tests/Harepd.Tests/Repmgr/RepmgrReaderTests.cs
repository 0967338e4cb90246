using System.Net;
using Harepd.Lab.Machine;
using Harepd.Lab.Servers;
using Harepd.Peers;
using Harepd.Postgres;
using Harepd.Repmgr;
using Harepd.Tests.Postgres;
using Npgsql;
using Xunit;

namespace Harepd.Tests.Repmgr;

/// <summary>Against repmgr's own extension on a real server.</summary>
public sealed class RepmgrReaderTests : IDisposable
{
    private readonly TestServer _server = TestServer.Start("127.60.2.1");

    private PostgresSettings Settings => new()
    {
        Host = _server.Folder,
        Port = _server.Port,
        User = "repmgr",
        Database = "repmgr",
        HbaPath = _server.HbaPath,
        HangTimeout = TimeSpan.FromSeconds(5),
    };

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task Each_reason_for_missing_tables_is_told_apart()
    {
        Assert.Equal(RepmgrAbsence.Refused, (await AbsenceAsync()).Cause);
        _server.Query("create role repmgr superuser login");
        Assert.Equal(RepmgrAbsence.NoDatabase, (await AbsenceAsync()).Cause);
        _server.Query("create database repmgr owner repmgr");
        Assert.Equal(RepmgrAbsence.NoTables, (await AbsenceAsync()).Cause);
        Execute("create extension repmgr");
        Assert.Empty(Assert.IsType<RepmgrView.Known>(await Reader().ReadAsync(CancellationToken.None)).Nodes);
        _server.Stop();
        Assert.Equal(RepmgrAbsence.NoServer, (await AbsenceAsync()).Cause);
        Assert.Null(await Reader().KnowledgeAsync(CancellationToken.None));
    }

    [Fact]
    public async Task The_rows_are_read_as_repmgr_keeps_them()
    {
        MakeTables();
        Add(1, "node_1", "primary", "host=10.0.0.1 user=repmgr", isActive: true, upstream: "null");
        Add(2, "node_2", "standby", "host=10.0.0.2", isActive: false, upstream: "1");

        var view = Assert.IsType<RepmgrView.Known>(await Reader().ReadAsync(CancellationToken.None));

        Assert.Equal(
            [
                new Harepd.Repmgr.RepmgrNode(1, "node_1", RepmgrNodeType.Primary, true, null, "host=10.0.0.1 user=repmgr", "default", 100),
                new Harepd.Repmgr.RepmgrNode(2, "node_2", RepmgrNodeType.Standby, false, 1, "host=10.0.0.2", "default", 100),
            ],
            view.Nodes.ToArray());
    }

    [Fact]
    public async Task Knowledge_is_the_ipv4_of_active_rows_and_bad_rows_do_not_break_the_others()
    {
        MakeTables();
        Add(1, "node_1", "primary", "host=10.0.0.1 password='host=10.9.9.9'");
        Add(2, "node_2", "standby", "postgresql://repmgr@10.0.0.2:5432/repmgr");
        Add(3, "node_3", "standby", "host=10.0.0.3", isActive: false);
        Add(4, "node_4", "standby", "host=2001:db8::4");
        Add(5, "node_5", "standby", "host=/var/run/postgresql application_name=10.9.9.8");
        Add(6, "node_6", "standby", "host='10.0.0.6");
        Add(7, "node_7", "standby", "host=no-such-host.invalid");
        Add(8, "node_8", "standby", "host=localhost");
        Add(9, "node_9", "witness", "host=no-such-host.invalid,10.0.0.9");
        Add(10, "node_10", "standby", "host=::ffff:10.0.0.10");

        var knowledge = await Reader("node_8", IPAddress.Parse("10.0.0.8")).KnowledgeAsync(CancellationToken.None);

        Assert.Equal(8, knowledge!.NodeId);
        Assert.Equal(
            [
                new ClusterRow(ClusterRowKind.Primary, "10.0.0.1"),
                new ClusterRow(ClusterRowKind.Standby, "10.0.0.2"),
                new ClusterRow(ClusterRowKind.Standby, "10.0.0.8"),
                new ClusterRow(ClusterRowKind.Witness, "10.0.0.9"),
                new ClusterRow(ClusterRowKind.Standby, "10.0.0.10"),
            ],
            knowledge.Rows.ToArray());
    }

    [Fact]
    public async Task A_node_that_repmgr_does_not_know_has_no_number()
    {
        MakeTables();
        Add(1, "node_1", "primary", "host=localhost");

        var knowledge = await Reader("elsewhere").KnowledgeAsync(CancellationToken.None);

        Assert.Equal(-1, knowledge!.NodeId);
        Assert.Equal([new ClusterRow(ClusterRowKind.Primary, "127.0.0.1")], knowledge.Rows.ToArray());
    }

    [Fact]
    public async Task Two_hundred_inquiries_at_once_cost_one_connection()
    {
        MakeTables();
        Add(1, "node_1", "primary", "host=10.0.0.1");
        var reader = Reader();
        var before = Connections();

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => reader.KnowledgeAsync(CancellationToken.None).AsTask()));

        Assert.All(answers, answer => Assert.Single(answer!.Rows));
        Assert.Equal(before + 1, Connections());
    }

    [Fact]
    public async Task Every_node_of_a_real_cluster_knows_all_of_it()
    {
        await using var lab = LabFolder.Create();
        var cluster = await RepmgrCluster.CreateAsync(lab);
        foreach (var node in (Harepd.Lab.Servers.RepmgrNode[])[cluster.Node1, cluster.Node2, cluster.Witness])
        {
            var settings = Settings with { Host = node.Server.SocketDirectory, Port = node.Server.Port };
            var reader = new RepmgrReader(settings, node.Name);

            // repmgr copies its table to the witness and the standby replays it: neither is at once.
            await Wait.UntilAsync(
                async () => await reader.KnowledgeAsync(CancellationToken.None) is { Rows.Length: 3 } knowledge
                    && knowledge.NodeId == node.Id
                    && knowledge.Rows.Contains(new ClusterRow(ClusterRowKind.Primary, cluster.Node1.Server.Address))
                    && knowledge.Rows.Contains(new ClusterRow(ClusterRowKind.Standby, cluster.Node2.Server.Address))
                    && knowledge.Rows.Contains(new ClusterRow(ClusterRowKind.Witness, cluster.Witness.Server.Address)),
                $"{node.Name} to know the cluster");
        }
    }

    private static int Count(string text, string part) => text.Split(part).Length - 1;

    private int Connections() => Count(_server.Log, "connection authorized: user=repmgr database=repmgr application_name=harepd repmgr");

    private RepmgrReader Reader(string name = "node_1", IPAddress? own = null) => new(Settings, name, own);

    private async Task<RepmgrView.Unknown> AbsenceAsync() => Assert.IsType<RepmgrView.Unknown>(await Reader().ReadAsync(CancellationToken.None));

    private void MakeTables()
    {
        _server.Query("create role repmgr superuser login");
        _server.Query("create database repmgr owner repmgr");
        Execute("create extension repmgr");
    }

    private void Add(int id, string name, string type, string conninfo, bool isActive = true, string upstream = "null") => Execute(
        $"insert into repmgr.nodes (node_id, upstream_node_id, active, node_name, type, conninfo, repluser, config_file) "
        + $"values ({id}, {upstream}, {isActive}, '{name}', '{type}', '{conninfo.Replace("'", "''", StringComparison.Ordinal)}', 'repmgr', '')");

    private void Execute(string sql)
    {
        using var connection = _server.Connect("repmgr", database: "repmgr");
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
    }
}
