using Harepd.Lab.Machine;

namespace Harepd.Lab.Servers;

/// <summary>A real PgBouncer whose databases stand in a file of their own, included by its configuration: nothing is in it until somebody writes it.</summary>
public sealed class PgbouncerServer
{
    /// <summary>Who may use the admin console.</summary>
    public const string Admin = "harepd";

    private readonly LabFolder lab;
    private readonly string config;
    private Proc? process;

    /// <param name="poolMode">As PgBouncer's <c>pool_mode</c>.</param>
    /// <param name="includes">False: its own file forgets to include the other.</param>
    public PgbouncerServer(LabFolder lab, string name, string address, string poolMode = "session", bool includes = true)
    {
        this.lab = lab;
        Name = name;
        Address = address;
        Folder = lab.MakeFolder(name);
        IncludeFile = lab.WriteFile(Path.Combine(name, "harepd.ini"), "");
        var users = lab.WriteFile(Path.Combine(name, "users.txt"), $"\"app\" \"\"\n\"{Admin}\" \"\"\n");
        config = lab.WriteFile(Path.Combine(name, "pgbouncer.ini"), $"""
            [pgbouncer]
            listen_addr = {address}
            listen_port = {Port}
            unix_socket_dir = {Folder}
            auth_type = trust
            auth_file = {users}
            admin_users = {Admin}
            pool_mode = {poolMode}
            server_login_retry = 0.2
            {(includes ? $"%include {IncludeFile}" : "")}

            """);
    }

    public string Name { get; }

    public string Address { get; }

    public int Port => 6432;

    public string Folder { get; }

    /// <summary>The file with the databases.</summary>
    public string IncludeFile { get; }

    /// <summary>The admin console, as harepd's configuration names it.</summary>
    public string Endpoint => $"unix:{Path.Combine(Folder, $".s.PGSQL.{Port}")}";

    public string Log => process?.Output ?? "";

    /// <summary>Starts it and waits until the console answers.</summary>
    public async Task StartAsync()
    {
        process = Proc.Start(lab, new ProcSpec(Name, "/usr/sbin/pgbouncer", config) { Machine = Name });
        await Wait.UntilAsync(async () => (await RunAsync("SHOW VERSION")).Succeeded, $"{Name} to answer", detail: () => Log);
    }

    /// <summary>Ends it, its clients included.</summary>
    public async Task StopAsync()
    {
        if (process is not null)
        {
            await process.StopAsync(Signal.Terminate, TimeSpan.FromSeconds(5));
            await process.DisposeAsync();
            process = null;
        }
    }

    /// <summary>A command on the admin console: its rows, unaligned.</summary>
    /// <exception cref="LabException">It failed.</exception>
    public async Task<string> CommandAsync(string command)
    {
        var result = await RunAsync(command);
        return result.Succeeded ? result.Output : throw new LabException($"{Name}: {command}: {result.Output}");
    }

    /// <summary>True when clients of a database wait.</summary>
    public async Task<bool> IsPausedAsync(string database) => await FieldAsync(database, 11) == "1";

    /// <summary>Where a database points, <c>host:port</c>; empty when there is no such database.</summary>
    public async Task<string> PlaceAsync(string database) => await FieldAsync(database, 1) is { } host ? $"{host}:{await FieldAsync(database, 2)}" : "";

    private async Task<string?> FieldAsync(string database, int field) => (await CommandAsync("SHOW DATABASES")).Split('\n')
        .Select(line => line.Split('|')).FirstOrDefault(row => row[0] == database)?[field];

    private Task<CommandResult> RunAsync(string command) => Proc.RunAsync(lab, new ProcSpec(
        Name + ".psql", Path.Combine(PostgresServer.BinDirectory, "psql"), "-X", "-At", "-h", Folder, "-p", $"{Port}", "-U", Admin, "-d", "pgbouncer", "-c", command));
}
