# Made by `lhp-otel hook fish`: lhp runs as ever; after a successful generate a background process
# records it.
# @about@
# It leaves a function called lhp that is somebody else's alone, and defines nothing when the
# package is gone. It looks up no program in PATH, except lhp.
if test -r @program@; and begin; not functions -q lhp; or functions -q __lhp_otel_finish; end

# Reads a switch as src/consent/consent.ts does: nothing, `no` (0, false, no, off) or `yes`
# (anything else).
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

# The first variable that says off, in the order of src/consent/consent.ts.
function __lhp_otel_consent
    for name in LHP_DISABLE_ANALYTICS DO_NOT_TRACK LHP_TELEMETRY OTEL_SDK_DISABLED PYTEST_CURRENT_TEST
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

# fish has no clock of its own; Linux has one that can be read without a process, in hundredths of a
# second.
function __lhp_otel_clock
    if test -r /proc/uptime
        read -l uptime rest </proc/uptime
        echo $uptime
    else
        command /bin/date +%s.%N
    end
end

# Shows the notice that an earlier run left, once; the one that moves the file shows it. The file
# may have been changed by anybody: it is read up to a bound, and only printable ASCII is shown.
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

# Finds the project as src/consent/resolve-mode.ts does, from here upwards: its lhp.yaml, and
# whether it is a bundle. The next command may change or move both, so they are looked at before the
# prompt is back.
function __lhp_otel_find_project --no-scope-shadowing
    test -d "$PWD"; or return # the folder is gone
    set -l folder .
    set -l climbed
    while not test -e $folder/lhp.yaml
        # Above the root there is the root again: nobody's projects are so deep.
        set -a climbed .
        set -q climbed[64]; and return
        set folder $folder/..
    end
    test -f $folder/lhp.yaml; and test -r $folder/lhp.yaml; and set file $folder/lhp.yaml
    set bundle nobundle
    test -f $folder/databricks.yml; and set bundle bundle
end

# Starts the background process, which gets the standard input of this function. Through sh, so that
# fish has no job and no $last_pid of it. sh would give /dev/null to what it starts in the
# background; and until that has a session of its own, a terminal that is closed at once would end
# it.
function __lhp_otel_start_process
    NODE_OPTIONS='' command /bin/sh -c 'trap "" HUP; exec 3<&0; "$@" <&3 3<&- &' sh \
        @nice@ @setsid@ @node@ @program@ $argv >/dev/null 2>/dev/null
end

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
    set -l speaks
    contains -- generate $argv; and set generate yes
    for word in -v -vv --verbose
        contains -- $word $argv; and set speaks yes
    end
    test "$LHP_OTEL_LOG" = debug; and set speaks yes
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
    set -l said 'started a background process that looks at this run'
    set said "$said; what became of it: lhp-otel status"
    if test -n "$start" -a $ended = 0
        # The package is gone with `npm uninstall`: then nothing is done or said.
        if not test -r @program@
            set speaks
        else if not test -x @node@
            set said 'nothing recorded: the Node of this hook is gone (lhp-otel doctor)'
        else if not __lhp_otel_finish $start (__lhp_otel_clock) $argv
            set said 'nothing recorded: no background process could be started'
        end
    end

    if test -n "$speaks"; and test -r @program@
        if test -z "$generate"
            set said 'this is no lhp generate: nothing recorded, no network activity'
        else if test -n "$layer"
            set said "telemetry is off ($layer): nothing recorded, no network activity"
        else if test $ended != 0
            set said "the command ended with $ended: nothing recorded, no network activity"
        end
        echo "lhp-otel: $said" >&2
    end
    return $ended
end

end
