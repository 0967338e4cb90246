using System.Text.Json;
using Harepd.Lab.Servers;
using Harepd.Tests.Cli;
using Harepd.Tests.Config;
using Xunit;

namespace Harepd.Tests.Pgbouncer;

/// <summary><c>harepd check</c> at the door of a real PgBouncer.</summary>
public sealed class PgbouncerDoorTests(PgbouncerLab lab) : IClassFixture<PgbouncerLab>
{
    [Fact]
    public async Task A_pgbouncer_is_tried_as_the_daemon_would_use_it()
    {
        Assert.Contains("there is no database app yet", await AnswerAsync("noted", lab.Bouncer.Endpoint), StringComparison.Ordinal);

        using (var steered = lab.Steer())
        {
            steered.Point(lab.Place(PgbouncerLab.There, 1));
            await steered.SaysAsync("points at");
        }

        Assert.Contains($"app at {PgbouncerLab.There}:{lab.Port}", await AnswerAsync("open", lab.Bouncer.Endpoint), StringComparison.Ordinal);
        await lab.Bouncer.CommandAsync("SET server_login_retry = 15");
        Assert.Contains("server_login_retry", await AnswerAsync("noted", lab.Bouncer.Endpoint), StringComparison.Ordinal);
        Assert.Contains("nobody listens", await AnswerAsync("shut", "tcp:127.20.40.9:6432"), StringComparison.Ordinal);
        Assert.Contains("as pgbouncer", await AnswerAsync("shut", $"tcp:{lab.Bouncer.Address}:{lab.Bouncer.Port}", user: "pgbouncer"), StringComparison.Ordinal);
    }

    private async Task<string> AnswerAsync(string state, string endpoint, string user = PgbouncerServer.Admin)
    {
        using var file = new TemporaryConfig(TemporaryConfig.Plus(
            $"pgbouncer: {{ endpoints: [\"{endpoint}\"], user: {user}, databases: [app], includeFile: {lab.Bouncer.IncludeFile} }}")
            .Replace("/etc/postgresql/15/main/pg_hba.conf", "/etc/hosts", StringComparison.Ordinal));
        var answer = await Shell.RunAsync("check", "--json", "-f", file.File);
        var doors = JsonDocument.Parse(answer.Output).RootElement.GetProperty("doors").EnumerateArray();
        var door = doors.Single(entry => entry.GetProperty("door").GetString() == $"PgBouncer {endpoint}");
        Assert.Equal(state, door.GetProperty("state").GetString());
        return door.GetProperty("detail").GetString()!;
    }
}
