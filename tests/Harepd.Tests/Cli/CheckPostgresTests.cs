using System.Text.Json;
using Harepd.Tests.Postgres;
using Xunit;

namespace Harepd.Tests.Cli;

/// <summary>The PostgreSQL door of check against a real server.</summary>
public sealed class CheckPostgresTests
{
    [Fact]
    public async Task A_server_as_it_must_be_is_an_open_door()
    {
        using var node = new DataNode("127.20.20.1");

        var (state, detail) = await PostgresDoorAsync(node);

        Assert.Equal("open", state);
        Assert.Contains("primary, user postgres has the rights", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_down_is_a_shut_door()
    {
        using var node = new DataNode("127.20.21.1", start: false);

        Assert.Equal("shut", (await PostgresDoorAsync(node)).State);
    }

    [Fact]
    public async Task Another_hba_file_than_the_servers_is_a_shut_door_that_names_the_servers()
    {
        using var node = new DataNode("127.20.22.1");
        var text = File.ReadAllText(node.ConfigFile);
        File.WriteAllText(node.ConfigFile, text.Replace(node.Server.HbaPath, "/etc/hosts", StringComparison.Ordinal));

        var (state, detail) = await PostgresDoorAsync(node);

        Assert.Equal("shut", state);
        Assert.Contains(node.Server.HbaPath, detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_postgresql_would_not_load_is_a_shut_door()
    {
        using var node = new DataNode("127.20.23.1");
        node.Server.WriteHba(node.Hba + "host all all nonsense/99 trust\n");

        var (state, detail) = await PostgresDoorAsync(node);

        Assert.Equal("shut", state);
        Assert.Contains("would not load", detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_user_without_rights_is_told_the_grants()
    {
        using var node = new DataNode("127.20.24.1");
        node.Server.Query("create role harepd login");
        var text = File.ReadAllText(node.ConfigFile);
        File.WriteAllText(node.ConfigFile, text.Replace("user: postgres", "user: harepd", StringComparison.Ordinal));

        var first = await PostgresDoorAsync(node);
        node.Server.Query("grant select on pg_hba_file_rules to harepd; grant execute on function pg_hba_file_rules() to harepd");
        var second = await PostgresDoorAsync(node);
        node.Server.Query("grant pg_monitor, pg_signal_backend to harepd");
        var third = await PostgresDoorAsync(node);

        Assert.Contains("grant select on pg_hba_file_rules", first.Detail, StringComparison.Ordinal);
        Assert.Contains("grant pg_monitor, pg_signal_backend", second.Detail, StringComparison.Ordinal);
        Assert.Equal(("shut", "shut", "open"), (first.State, second.State, third.State));
    }

    [Fact]
    public async Task A_standby_that_would_sleep_for_seconds_is_worth_a_note()
    {
        using var node = new DataNode("127.20.25.1");
        node.Server.Query("alter system set wal_retrieve_retry_interval = '5s'");
        node.Server.Query("select pg_reload_conf()");
        Eventually.True(() => node.Server.Query("show wal_retrieve_retry_interval") == "5s", "the setting is loaded");

        Assert.Contains(await DoorsAsync(node), door => door.Name == "wal_retrieve_retry_interval" && door.Detail.StartsWith("5s:", StringComparison.Ordinal));

        node.Server.Query("alter system set wal_retrieve_retry_interval = '200ms'");
        node.Server.Query("select pg_reload_conf()");
        Eventually.True(() => node.Server.Query("show wal_retrieve_retry_interval") == "200ms", "the setting is loaded");

        Assert.DoesNotContain(await DoorsAsync(node), door => door.Name == "wal_retrieve_retry_interval");
    }

    private static async Task<(string? State, string Detail)> PostgresDoorAsync(DataNode node)
    {
        var door = (await DoorsAsync(node)).First(entry => entry.Name.StartsWith("PostgreSQL", StringComparison.Ordinal));
        return (door.State, door.Detail);
    }

    private static async Task<IReadOnlyList<(string Name, string? State, string Detail)>> DoorsAsync(DataNode node)
    {
        var answer = await Shell.RunAsync("check", "--json", "-f", node.ConfigFile);
        Assert.Equal("", answer.Error);
        return [.. JsonDocument.Parse(answer.Output).RootElement.GetProperty("doors").EnumerateArray()
            .Select(entry => (entry.GetProperty("door").GetString()!, entry.GetProperty("state").GetString(), entry.GetProperty("detail").GetString()!))];
    }
}
