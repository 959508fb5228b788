Feature: Flow

  Scenario: Tasks run in declared order
    Given a workflow with definition:
    """yaml
    document:
      dsl: '1.0.3'
      namespace: test
      name: declared-order
      version: '0.1.0'
    do:
      - first:
          set:
            path: [ first ]
      - second:
          set:
            path: '${ .path + [ $task.name ] }'
      - third:
          set:
            path: '${ .path + [ $task.name ] }'
    """
    When the workflow is executed
    Then the workflow should complete with output:
    """yaml
    path: [ first, second, third ]
    """
    And first should run first
    And second should run before third
    And third should run after first
    And third should run last
    And the workflow output should have a 'path' property containing 3 items
    And second should complete with output:
    """json
    { "path": [ "first", "second" ] }
    """

  Scenario: A directive ends the workflow
    Given a workflow with definition:
    """
    document: { dsl: '1.0.3', namespace: test, name: ends, version: '0.1.0' }
    do:
      - first:
          set: { n: '${ .start + 1 }' }
          then: end
      - never:
          set: { n: 0 }
    """
    And given the workflow input is:
    """yaml
    start: 41
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have a 'n' property with value:
    """yaml
    42
    """
    And first should complete

  Scenario: The losers of a race are cancelled
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: race, version: '0.1.0' }
    do:
      - race:
          fork:
            compete: true
            branches:
              - hare:
                  wait: PT1H
              - tortoise:
                  set:
                    winner: { name: tortoise, times: [ 1, 2 ] }
    """
    When the workflow is executed
    Then the workflow should complete
    And the workflow output should have properties 'winner', 'winner.name', 'winner.times.1'
    And tortoise should complete
    And hare should cancel
