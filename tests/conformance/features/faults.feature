Feature: Faults

  Background:
    Given a workflow with definition:
    """yaml
    document: { dsl: '1.0.3', namespace: test, name: faults, version: '0.1.0' }
    do:
      - stop:
          raise:
            error:
              type: https://example.com/errors/teapot
              status: 418
              title: Teapot
    """

  Scenario: An error that nothing catches faults the workflow
    When the workflow is executed
    Then the workflow should fault

  Scenario: The error is told
    When the workflow is executed
    Then the workflow should fault with error:
    """yaml
    type: https://example.com/errors/teapot
    status: 418
    title: Teapot
    instance: /do/0/stop
    """
    And stop should fault
    And stop should fault with error:
    """yaml
    status: 418
    """
