# Made by `lhp-otel hook fish`. lhp runs as before; after a successful generate a background process
# records the run.
# @about@
# Nothing is defined if the package is gone, or if there is another function called lhp. No program
# except lhp is looked up in PATH.
if test -r @program@; and begin; not functions -q lhp; or functions -q __lhp_otel_finish; end

# Reads the value of a switch: empty, `no` (0, false, no, off) or `yes` (anything else).
function __lhp_otel_switch
    switch (string lower -- (string trim -- "$argv[1]"))
        case ''
            echo ''
        case 0 false no off
            echo no
        case '*'
            echo yes
    end
end

# Finds the first variable that opts out. LHP_TELEMETRY does so with `off`, the others with `1`.
function __lhp_otel_consent
    for name in @switches@
        set -q $name; or continue
        set -l off yes
        if test $name = LHP_TELEMETRY
            test "$argv[1]" = no; and continue
            set off no
        end
        if test (__lhp_otel_switch "$$name") = $off
            echo $name
            return
        end
    end
end

# fish has no clock. On Linux this one is read without starting a process; it counts hundredths of a
# second since the machine started.
function __lhp_otel_clock
    if test -r /proc/uptime
        read -l uptime rest </proc/uptime
        echo $uptime
    else
        command /bin/date +%s.%N
    end
end

# Shows the notice that an earlier run left. It is shown once: by the shell that moves the file.
# Anybody may have changed the file, so at most 4,000 characters are read, and only printable ASCII
# is shown.
function __lhp_otel_show_notice
    set -l state $HOME/.local/state/lhp-otel
    string match -q -- '/*' "$XDG_STATE_HOME"; and set state $XDG_STATE_HOME/lhp-otel
    test -f $state/notice.pending; and test -r $state/notice.pending; or return 1
    read -z -n 4000 -l all <$state/notice.pending
    set -l text (string split \n -- $all | string match -- 'lhp-otel:*' |
        string replace -ra '[^ -~]' '?')
    command @mv@ $state/notice.pending $state/notice.json 2>/dev/null; or return 1
    printf '%s\n' $text >&2
end

# Finds lhp.yaml, from this folder upwards, and whether the project is a bundle. This is done before
# the prompt is back, because the next command may change or move both.
function __lhp_otel_find_project --no-scope-shadowing
    test -d "$PWD"; or return # the folder is gone
    set -l folder .
    set -l climbed
    while not test -e $folder/lhp.yaml
        # Nothing tells that this is the root, so the search ends after 64 folders.
        set -a climbed .
        set -q climbed[64]; and return
        set folder $folder/..
    end
    test -f $folder/lhp.yaml; and test -r $folder/lhp.yaml; and set file $folder/lhp.yaml
    set bundle nobundle
    test -f $folder/databricks.yml; and set bundle bundle
end

# Starts the background process with the standard input of this function. /bin/sh starts it, so that
# fish has neither a job nor a $last_pid of it. Without the `3<&0`, sh would give it /dev/null. The
# trap is for a terminal that is closed before the process has its own session.
function __lhp_otel_start_process
    NODE_OPTIONS='' command /bin/sh -c 'trap "" HUP; exec 3<&0; "$@" <&3 3<&- &' sh \
        @nice@ @setsid@ @node@ @program@ @entry@ $argv >/dev/null 2>/dev/null
end

# After a successful generate. Arguments: start, end, and the arguments of lhp.
function __lhp_otel_finish
    set -l notice none
    if test -t 2
        set notice terminal
        __lhp_otel_show_notice; and set notice shown
    end
    set -l file /dev/null
    set -l bundle unknown
    __lhp_otel_find_project
    set -l words $argv[1..2] $notice $bundle lhp $argv[3..-1]
    __lhp_otel_start_process $words 2>/dev/null <$file
    or __lhp_otel_start_process $words </dev/null
end

function lhp
    set -l generate
    set -l verbose
    contains -- generate $argv; and set generate yes
    for word in -v -vv --verbose
        contains -- $word $argv; and set verbose yes
    end
    test "$LHP_OTEL_LOG" = debug; and set verbose yes
    set -l upstream
    set -q LHP_OTEL_UPSTREAM; and set upstream (__lhp_otel_switch "$LHP_OTEL_UPSTREAM")
    set -l layer (__lhp_otel_consent "$upstream")

    set -l start
    test -n "$generate" -a -z "$layer"; and set start (__lhp_otel_clock)
    if test "$upstream" = no
        LHP_TELEMETRY=off command lhp $argv
    else
        command lhp $argv
    end
    set -l ended $status

    set -l message
    if test -z "$generate"
        set message 'this is no lhp generate: nothing recorded, no network activity'
    else if test -n "$layer"
        set message "telemetry is off ($layer): nothing recorded, no network activity"
    else if test $ended != 0
        set message "the command ended with $ended: nothing recorded, no network activity"
    else if not test -r @program@
        set verbose # the package was uninstalled: nothing is recorded or said
    else if not test -x @node@
        set message 'nothing recorded: the Node of this hook is gone (lhp-otel doctor)'
    else if __lhp_otel_finish $start (__lhp_otel_clock) $argv
        set message 'started a background process that looks at this run'
        set message "$message; what became of it: lhp-otel status"
    else
        set message 'nothing recorded: no background process could be started'
    end
    if test -n "$verbose"; and test -r @program@
        echo "lhp-otel: $message" >&2
    end
    return $ended
end

end
